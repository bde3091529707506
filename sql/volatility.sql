-- volatility.sql - what the planner is told, and who may call
SELECT oid::regprocedure AS function, provolatile AS volatile, procost AS cost,
       prorows AS rows, proparallel AS parallel, proisstrict AS strict,
       proleakproof AS leakproof, prosecdef AS definer, proacl AS acl
  FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid
 WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'insitu')
 ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT relname, relkind, relacl FROM pg_class
 WHERE relnamespace = 'insitu'::regnamespace ORDER BY relname COLLATE "C";
SELECT nspacl FROM pg_namespace WHERE nspname = 'insitu';
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
 WHERE tgrelid::regclass::text LIKE 'insitu.%' AND NOT tgisinternal
 ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT extversion, extrelocatable, extconfig::regclass[]
  FROM pg_extension WHERE extname = 'insitu';
