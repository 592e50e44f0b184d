"""The kernel's confinement: namespaces, Landlock, seccomp, and limits."""
