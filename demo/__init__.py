"""Faces drawn by the program: tests and pictures need faces, and photographs of people never enter the project."""
