"""Records: taken in from phones and people, read and written as patients' charts."""
