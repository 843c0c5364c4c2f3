"""Submissions to marks, feedback and a gradebook; student code only ever runs in a sandbox."""
