"""The dynamic providers: short adapters from Pulumi's calls to the functions of infra.handlers.

The modules' paths and the names of their classes are a contract: state files name them. Never move or rename a class,
and never change what a stored property means: `refresh` and `destroy` run today's code on yesterday's properties.

A provider process runs in the program's folder and answers four calls at once, so nothing is kept between calls.
"""
