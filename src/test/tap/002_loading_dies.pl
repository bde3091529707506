# 002_loading_dies.pl - backends that end while they load or wait.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_cluster('dies');
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->reload;
# 20 parts
my $path = make_large_model('medium', '--layers', 2, '--hidden', 256,
	'--heads', 4, '--intermediate', 512, '--vocabulary', 16000);
$node->safe_psql('postgres',
	"SELECT model_register('m', '$path', '{\"weights\": \"f32\"}')");
my $parts = $node->safe_psql('postgres',
	'SELECT count(*) FROM insitu.model_chunk');
cmp_ok($parts, '>', 10, "the model has $parts parts");

my $slow = "SET insitu.debug_load_delay = '200ms'; SET application_name = 'loader';\n";
my $call = "SELECT array_length(embed('x', 'm'), 1);\n";
my $pid_of = "SELECT pid FROM pg_stat_activity WHERE application_name = '%s'";

sub pid_of
{
	my ($name) = @_;
	return $node->safe_psql('postgres', sprintf $pid_of, $name);
}

sub loading
{
	my $loader = start_session($node, $slow . $call);
	ok(wait_until(sub { cache_files($node, 'tmp') > 0 }), 'a backend loads');
	return $loader;
}

# cancelled: a waiter takes over
my $loader = loading();
my $waiter = start_session($node, "SET application_name = 'waiter';\n$call");
ok(wait_until(sub { pid_of('waiter') ne '' }), 'another one waits');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . pid_of('loader') . ')');
isnt(finish_session($loader), 0, 'the loader was cancelled');
like($loader->{err}, qr/57014/, 'with query_canceled');
is(finish_session($waiter), 0, 'the waiter has loaded');
is($waiter->{out}, '256', 'and answers');
is(scalar(cache_files($node, 'tmp')), 0, 'nothing unfinished is left');
is($node->safe_psql('postgres', "SELECT loads FROM model_stats() WHERE name = 'm'"),
	'1', 'one load is counted');

# a waiter can be cancelled
unlink cache_files($node, 'pack');
$loader = loading();
my $start = time;
my ($status, $out, $err) = $node->psql('postgres',
	"\\set VERBOSITY verbose\nSET statement_timeout = '300ms';\n$call");
my $elapsed = 1000 * (time - $start);
like($err, qr/57014/, 'a waiter honours statement_timeout');
cmp_ok($elapsed, '<', 1000, sprintf('after %.0f ms', $elapsed));
# terminated while waiting and while loading
$waiter = start_session($node, "SET application_name = 'waiter';\n$call");
ok(wait_until(sub { pid_of('waiter') ne '' }), 'another one waits');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . pid_of('waiter') . ')');
isnt(finish_session($waiter), 0, 'a waiter was terminated');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . pid_of('loader') . ')');
isnt(finish_session($loader), 0, 'the loader was terminated');
is($node->safe_psql('postgres', $call), '256', 'the next call loads');
is(scalar(cache_files($node, 'tmp')), 0, 'nothing unfinished is left');

# a loader that stops for a while
unlink cache_files($node, 'pack');
$loader = loading();
my $pid = pid_of('loader');
kill 'STOP', $pid;
($status, $out, $err) = $node->psql('postgres',
	"\\set VERBOSITY verbose\nSET statement_timeout = '300ms';\n$call");
like($err, qr/57014/, 'a waiter of a stopped loader honours statement_timeout');
kill 'CONT', $pid;
is(finish_session($loader), 0, 'the loader goes on');

# killed: the server restarts its backends, and the next call works
unlink cache_files($node, 'pack');
$loader = loading();
kill 'KILL', pid_of('loader');
isnt(finish_session($loader), 0, 'the loader was killed');
ok( wait_until(
		sub { ($node->psql('postgres', 'SELECT 1'))[0] == 0 }),
	'the server is back');
is(scalar(cache_files($node, 'tmp')), 1, 'an unfinished file is left');
is($node->safe_psql('postgres', $call), '256', 'the next call works');
is(scalar(cache_files($node, 'tmp')), 0, 'and removed it');
is($node->safe_psql('postgres', "SELECT loads FROM model_stats() WHERE name = 'm'"),
	'1', 'counters begin again');

# files that somebody damaged
my ($file) = cache_files($node, 'pack');
unlink $file;
append_to_file($file, 'short');
is($node->safe_psql('postgres', $call), '256', 'a short file is made again');
ok(-s $file > 1_000_000, 'in full');
# with the right size, but not a pack
my $size = -s $file;
unlink $file;
append_to_file($file, "\0" x $size);
is($node->safe_psql('postgres', $call), '256', 'a file of zeros is made again');
unlink $file;
is($node->safe_psql('postgres', $call), '256', 'and one that was removed');

# parts that are missing or damaged in the table
$node->safe_psql('postgres', 'CREATE TABLE kept AS SELECT * FROM insitu.model_chunk');
unlink $file;
$node->safe_psql('postgres', 'DELETE FROM insitu.model_chunk WHERE seq = 7');
($status, $out, $err) = $node->psql('postgres', $call);
like($err, qr/part 8 of $parts is missing/, 'a missing part is named');
is(scalar(cache_files($node, 'tmp')), 0, 'nothing unfinished is left');
$node->safe_psql('postgres', <<'SQL');
INSERT INTO insitu.model_chunk SELECT digest, seq, set_byte(data, 1000, 255 - get_byte(data, 1000)) FROM kept WHERE seq = 7
SQL
is(sqlstate($node, $call), 'XX001', 'a changed byte is found');
is($node->safe_psql('postgres', "SELECT model_verify('m')"), 'f', 'by model_verify too');
$node->safe_psql('postgres', <<'SQL');
DELETE FROM insitu.model_chunk WHERE seq = 7;
INSERT INTO insitu.model_chunk SELECT * FROM kept WHERE seq = 7
SQL
is($node->safe_psql('postgres', $call), '256', 'the part came back');

# directories of databases that are gone are swept by the next load
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', "CREATE EXTENSION insitu; SELECT model_register('m', '"
	  . model_path('bert_classify') . "'); SELECT classify('x', 'm')");
is(scalar(cache_files($node, 'pack')), 2, 'a file per database');
is($node->safe_psql('postgres', "SELECT array_length(embed('x', 'm'), 1)"),
	'256', 'the same name is another model there');
$node->safe_psql('postgres', 'DROP DATABASE other');
unlink $file;
is($node->safe_psql('postgres', $call), '256', 'loads again');
is(scalar(cache_files($node, 'pack')), 1, 'the other file is gone');

done_testing();
