"""Gets a machine that has only Python and make ready to run or test Bookbag; a second time it costs next to nothing."""
