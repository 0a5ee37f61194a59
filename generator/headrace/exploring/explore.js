"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const axes = {
  fps: ["frames per second", 1], lut: ["LUT", -1], ff: ["FF", -1], bram36: ["BRAM36", -1], uram: ["URAM", -1],
  dsp: ["DSP", -1], latency_us: ["latency in us", -1], accuracy: ["accuracy", 1], clock_mhz: ["clock in MHz", 0],
  weight_bits: ["bits of weights", 0], act_bits: ["bits of activations", 0]};
const units = {fps: "fps", latency_us: "us latency"};
const rows = data.points.filter(row => row.fps !== null);
const boards = [...new Set(rows.map(row => row.board))];
const series = row => "s" + boards.indexOf(row.board) % 8;
const known = Object.keys(axes).filter(name => rows.some(row => row[name] !== null));
const get = id => document.getElementById(id);
const text = value => typeof value === "number" ? (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") :
  String(+value.toPrecision(4))) : String(value);

function make(tag, attributes, parent, content) {
  const svg = ["svg", "g", "line", "path", "circle", "text"].includes(tag) || tag === "a" && parent.namespaceURI.endsWith("svg");
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (content !== undefined) element.textContent = content;
  parent.append(element);
  return element;
}

function scale(values, from, to, log) {
  let low = Math.min(...values), high = Math.max(...values);
  if (log) { low = Math.log10(low); high = Math.log10(high); }
  const room = (high - low || Math.abs(high) || 1) * .08;
  const least = !log && low >= 0 && low - room < 0 ? 0 : low - room, most = high + room;
  const at = value => from + (to - from) * ((log ? Math.log10(value) : value) - least) / (most - least);
  return {at, ticks: ticks(least, most, log)};
}

function ticks(low, high, log) {
  if (log && high - low > .7) {
    const steps = high - low > 3 ? [1] : [1, 2, 5], found = [];
    for (let power = Math.floor(low); power <= high; power++)
      for (const step of steps) if (Math.log10(step) + power >= low && Math.log10(step) + power <= high) found.push(step * 10 ** power);
    if (found.length > 1) return found;
  }
  if (log) { low = 10 ** low; high = 10 ** high; }
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(factor => factor * power >= rough) * power, found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(+value.toPrecision(12));
  return found;
}

function frontier(points, x, y) {
  const better = (a, b, name) => axes[name][1] * (a[name] - b[name]);
  return points.filter(row => row.fits && !points.some(other => other.fits && better(other, row, x) >= 0 &&
    better(other, row, y) >= 0 && better(other, row, x) + better(other, row, y) > 0)).sort((a, b) => a[x] - b[x]);
}

function about(row) {
  const box = get("about");
  box.replaceChildren();
  make("b", {class: series(row)}, box, `${row.board}, ${text(row.clock_mhz)} MHz, core ${row.core}` +
    (row.weight_bits === null ? "" : `, w${row.weight_bits}a${row.act_bits}`) +
    (row.fps_asked === null ? "" : `, ${text(row.fps_asked)} fps asked`));
  box.append(": " + ["fps", "latency_us", "accuracy", "lut", "bram36", "dsp"].filter(name => row[name] !== null)
    .map(name => `${text(row[name])} ${units[name] || axes[name][0]}`).join(", ") + `. Done: ${row.stages.replaceAll(",", ", ")}. ` +
    (row.error || row.stopped_by ? (row.error || row.stopped_by) + ". " : ""));
  if (row.build) make("a", {href: row.build + "/report.html"}, box, "report");
}

function point(row, x, y, parent) {
  const kind = `point ${series(row)}${row.front ? "" : " dim"}${row.fits ? "" : " unfit"}`;
  const name = `${row.board}, ${text(row.fps)} fps, ${text(row.lut)} LUT${row.build ? ", opens its report" : ""}`;
  const element = row.build ? make("a", {class: kind, href: row.build + "/report.html", "aria-label": name}, parent) :
    make("g", {class: kind, tabindex: "0", role: "img", "aria-label": name}, parent);
  if (row.build) make("circle", {class: "ring", cx: x, cy: y, r: 9}, element);
  make("circle", {class: "dot", cx: x, cy: y, r: 5}, element);
  element.addEventListener("focus", () => about(row));
  return {element, row, x, y};
}

// Points lie close together: a finger or a pointer means the nearest, whichever was drawn last.
function nearest(points, svg, event) {
  const box = svg.getBoundingClientRect(), far = found => Math.hypot(found.x + box.left - event.clientX, found.y + box.top - event.clientY);
  const found = points.reduce((best, other) => far(other) < far(best) ? other : best);
  return far(found) < 22 ? found : undefined;
}

function listen(points, svg) {
  svg.addEventListener("pointermove", event => {
    const found = nearest(points, svg, event);
    for (const other of points) other.element.classList.toggle("near", other === found);
    svg.style.cursor = found && found.row.build ? "pointer" : "";
    if (found) about(found.row);
  });
  svg.addEventListener("click", event => {
    const found = event.detail ? nearest(points, svg, event) : undefined;
    if (!found || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    about(found.row);
    if (found.row.build) location.href = found.element.getAttribute("href");
  });
}

function limits(name, horizontal, at, box, svg) {
  if (!get("limits").checked) return;
  for (const board of boards) {
    const limit = (data.boards[board] || {})[name];
    if (!limit) continue;
    const place = at.at(limit), inside = horizontal ? place > box.left && place < box.right : place > box.top && place < box.bottom;
    if (!inside) continue;
    const kind = "limit s" + boards.indexOf(board) % 8;
    if (horizontal) make("line", {class: kind, x1: place, x2: place, y1: box.top, y2: box.bottom}, svg);
    else make("line", {class: kind, x1: box.left, x2: box.right, y1: place, y2: place}, svg);
    make("text", horizontal ? {class: kind, x: place - 4, y: box.top + 12 + 14 * boards.indexOf(board), "text-anchor": "end"} :
      {class: kind, x: box.right, y: place - 4, "text-anchor": "end"}, svg, `all of ${board}`);
  }
}

function draw() {
  const x = get("x").value, y = get("y").value, width = Math.max(320, get("chart").clientWidth), narrow = width < 600;
  const height = narrow ? 360 : 520, box = {left: narrow ? 58 : 76, right: width - 14, top: 28, bottom: height - 44};
  const shown = rows.filter(row => row[x] !== null && row[y] !== null && (row.front || !get("only").checked));
  get("chart").replaceChildren();
  if (!shown.length) return;
  const log = name => get("log").checked && shown.every(row => row[name] > 0) && !["accuracy", "weight_bits", "act_bits"].includes(name);
  const values = name => shown.map(row => row[name]).concat(!get("limits").checked ? [] : boards.map(
    board => (data.boards[board] || {})[name]).filter(limit => limit && limit < 4 * Math.max(...shown.map(row => row[name]))));
  const across = scale(values(x), box.left, box.right, log(x)), up = scale(values(y), box.bottom, box.top, log(y));
  const svg = make("svg", {viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": "the points"}, get("chart"));
  let last = -99;
  for (const tick of across.ticks) {
    make("line", {class: "grid", x1: across.at(tick), x2: across.at(tick), y1: box.top, y2: box.bottom}, svg);
    if (across.at(tick) - last < (narrow ? 52 : 64)) continue;
    last = across.at(tick);
    make("text", {x: last, y: box.bottom + 16, "text-anchor": "middle"}, svg, text(tick));
  }
  for (const tick of up.ticks) {
    make("line", {class: "grid", x1: box.left, x2: box.right, y1: up.at(tick), y2: up.at(tick)}, svg);
    make("text", {x: box.left - 6, y: up.at(tick) + 4, "text-anchor": "end"}, svg, text(tick));
  }
  make("path", {class: "axis", fill: "none", d: `M${box.left} ${box.top}V${box.bottom}H${box.right}`}, svg);
  make("text", {class: "title", x: box.right, y: height - 8, "text-anchor": "end"}, svg, axes[x][0]);
  make("text", {class: "title", x: 4, y: 14}, svg, axes[y][0]);
  limits(x, true, across, box, svg);
  limits(y, false, up, box, svg);
  const line = axes[x][1] && axes[y][1] ? frontier(shown, x, y) : [];
  if (line.length > 1) make("path", {class: "frontier", d: "M" + line.map(row => `${across.at(row[x])} ${up.at(row[y])}`).join("L")}, svg);
  const order = [...shown].sort((a, b) => a.front - b.front || a[x] - b[x]);
  listen(order.map(row => point(row, across.at(row[x]), up.at(row[y]), svg)), svg);
}

function list() {
  const columns = {board: "board", clock_mhz: "MHz", core: "core", weight_bits: "w bits", act_bits: "a bits", fps_asked: "fps asked",
    fps: "fps", latency_us: "latency us", accuracy: "accuracy", lut: "LUT", bram36: "BRAM36", dsp: "DSP", stages: "done"};
  const used = Object.keys(columns).filter(name => data.points.some(row => row[name] !== null));
  const head = make("tr", {}, get("table"));
  for (const name of used) make("th", {}, head, columns[name]);
  for (const row of [...data.points].sort((a, b) => b.front - a.front)) {
    const line = make("tr", row.front ? {} : {class: "dim"}, get("table"));
    for (const name of used) make("td", name === "board" && row.fps !== null ? {class: `series ${series(row)}`} : {}, line,
      row[name] === null ? "" : text(row[name]));
    const last = make("td", {}, line, row.error || (row.fits ? "" : row.stopped_by));
    if (row.build) make("a", {href: row.build + "/report.html"}, last, "report");
  }
}

for (const id of ["x", "y"]) for (const name of known) make("option", {value: name}, get(id), axes[name][0]);
get("x").value = "lut";
get("y").value = "fps";
boards.forEach((board, number) => make("span", {class: "s" + number % 8}, get("legend"), board));
for (const control of get("controls").elements) control.addEventListener("change", draw);
addEventListener("resize", draw);
get("chart").addEventListener("keydown", event => {
  const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...document.querySelectorAll(".point")], place = element => +element.querySelector(".dot").getAttribute("cx");
  all.sort((a, b) => place(a) - place(b));
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
});
draw();
list();
