"""
Lessons as slides, as pages and as a site; nothing is fetched to show them.

nbconvert's filters render Markdown and outputs; the frame around them is our own (``templates/``), because nbconvert's
carries JupyterLab's markup and fetches its scripts from the web, and because a picture's alternative text stands in
the cell after it. Scripts and fonts come from installed packages (the extra ``publish``): reveal.js and Source Sans
with sphinx-revealjs, MathJax 3 with sphinx-mathjax-offline.
"""
