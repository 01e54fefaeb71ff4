"""What the server keeps while an editor is connected: folders, runs at work, open questions."""
