"""How a letter is built: its mails, the lines of each, and its numbered parts."""
