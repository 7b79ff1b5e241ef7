"""The workbench: the officer's job in a browser, on the files and by the functions of foidex."""
