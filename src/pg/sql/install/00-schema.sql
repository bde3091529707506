/* insitu: classify and embed text inside PostgreSQL. */
\echo Use "CREATE EXTENSION insitu" to load this file. \quit

/*
 * The functions go to the schema chosen by CREATE EXTENSION, the tables to
 * this one.  CREATE fails when somebody has made it already: nobody can plant
 * tables for us.  While this script runs, the search path is the chosen schema
 * and then pg_temp, after pg_catalog, so that names of types are the system's.
 */
CREATE SCHEMA insitu;
GRANT USAGE ON SCHEMA insitu TO PUBLIC;
