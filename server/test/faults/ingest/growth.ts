// Measured: nothing over what the warm-up had taken, and some 150 MiB where Weir runs in the test's own process.
export const growth_bytes_max = 400 * 1024 * 1024;
