-- Drops the three roles, those that there are. Refused while one of them still has something in a database of this server.
DROP ROLE IF EXISTS tintype_worker;
DROP ROLE IF EXISTS tintype_installer;
DROP ROLE IF EXISTS tintype_owner;
