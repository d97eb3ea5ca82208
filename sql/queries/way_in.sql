-- Whether schema tintype is here, whether this role may look into it, and who could let it in: a role that works here, and the owner.
SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS open, quote_ident(current_user) AS role,
       quote_ident(pg_get_userbyid(n.nspowner)) AS owner,
       (SELECT min(quote_ident(pg_get_userbyid(a.grantee))) FROM pg_class w, aclexplode(w.relacl) a
         WHERE w.relnamespace = n.oid AND w.relname = 'worker' AND a.privilege_type = 'INSERT' AND a.grantee <> w.relowner) AS worker
  FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'migration'
 WHERE n.nspname = 'tintype'
