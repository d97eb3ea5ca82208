-- Schema tintype goes to its owner, and the worker gets its rights.
SELECT tintype.secure('tintype_owner', 'tintype_worker');
