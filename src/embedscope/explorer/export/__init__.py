"""What leaves an explorer: tables, pictures and annotated matrices."""
