// Pages that were opened as files may not start workers, which the search box needs: a hidden frame takes the place of one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.onload = () => this.start(String(address));
      (document.body ?? document.documentElement).append(this.frame);
    }

    // The script runs in the frame, and what it posts comes here.
    start(address) {
      const inside = this.frame.contentWindow;
      if (this.inside || !inside) return;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = (...addresses) => Promise.all(addresses.map((each) => this.load(inside, each)));
      this.load(inside, address).then(() => {
        this.inside = inside;
        this.waiting.splice(0).forEach((data) => this.postMessage(data));
      });
    }

    load(inside, address) {
      return new Promise((loaded, failed) => {
        const script = inside.document.createElement("script");
        Object.assign(script, { src: new URL(address, document.baseURI).href, async: false, onload: loaded, onerror: failed });
        inside.document.documentElement.append(script);
      });
    }

    postMessage(data) {
      if (this.inside) this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }));
      else this.waiting.push(data);
    }
  };
}
