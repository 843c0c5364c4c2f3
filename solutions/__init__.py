"""The instructor's room: answer notebooks, and the tools that release, grade, publish and refresh."""
