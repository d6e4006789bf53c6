"""What the hub decides: values in, values out, no I/O and no clock."""
