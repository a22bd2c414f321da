"""Starting the programs and telling how they ended."""
