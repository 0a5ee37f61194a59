"""headrace: a trained CNN becomes a streaming FPGA accelerator that is proved bit-exact."""
