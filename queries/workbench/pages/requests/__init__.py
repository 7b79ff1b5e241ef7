"""The pages of request files: the list, one request, a new one, changing one."""
