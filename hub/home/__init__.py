"""`hub home`: the server with the GPU, set up, looked at, stopped and woken.

Each command first reads facts from the server (`facts.py`), then decides without any I/O what they
mean (`requirements.py`, `steps.py`, `undo.py`, `check.py`), and only then acts through one root
shell (`machine.py`). The files it places and the scripts it runs are in the folder `home/`.
"""
