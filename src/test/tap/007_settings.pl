# 007_settings.pl - settings before the library is loaded, and preloading.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('settings');
my $path = model_path('bert_classify');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE maker LOGIN;
GRANT EXECUTE ON FUNCTION model_register(text, text) TO maker;
SQL

# a security setting that an ordinary role sets before the library is loaded
my ($status, $out, $err) = $node->psql('postgres', <<"SQL");
SET SESSION AUTHORIZATION maker;
SET insitu.model_path = '$ENV{INSITU_MODELS}';
SET insitu.max_input_bytes = '64MB';
SELECT model_register('x', '$path');
SQL
like($err, qr/WARNING:.*permission denied to set parameter "insitu.model_path"/,
	'is ignored with a warning');
like($err, qr/ERROR:\s+permission denied to read a model/, 'and gives no right');
($status, $out, $err) = $node->psql('postgres', <<'SQL');
SET SESSION AUTHORIZATION maker;
SET insitu.max_input_bytes = '64MB';
SELECT token_count(repeat('a', 2000000));
SQL
like($err, qr/exceeds the limit of 1048576 bytes/, 'nor a higher limit');
is($node->safe_psql('postgres', <<"SQL"), '64', 'a superuser may');
SET insitu.model_path = '$ENV{INSITU_MODELS}';
SELECT classify('x') \\gset
SET ROLE maker;
SELECT length(model_register('x', '$path'));
SQL

# a value that makes no sense, set before
($status, $out, $err) = $node->psql('postgres', <<'SQL');
SET insitu.default_classifier = 'No Such';
SET insitu.nosuch = 'x';
SELECT classify('x') IS NOT NULL;
SQL
like($err, qr/invalid value for parameter "insitu.default_classifier"/,
	'an invalid value is ignored with a warning');
is($out, 't', 'and the default is used');

# per role and database
$node->safe_psql('postgres', "ALTER ROLE maker SET insitu.default_classifier = 'x'");
is($node->safe_psql('postgres', "SELECT classify('a') LIKE 'label-%'",
		extra_params => [ '-U', 'maker' ]), 't', 'ALTER ROLE SET works');

# preloaded
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'insitu'\n");
# not fast: a backend that is still about to leave would be terminated, which is
# logged as FATAL
$node->stop('smart');
$node->start;
is($node->safe_psql('postgres', "SELECT classify('a', 'x') LIKE 'label-%'"), 't',
	'works preloaded');
is($node->safe_psql('postgres', "SELECT calls FROM model_stats() WHERE name = 'x'"),
	'1', 'and counts');
is($node->safe_psql('postgres', 'SHOW insitu.default_classifier'),
	'insitu-mini-en', 'settings are there at once');
unlike(slurp_file($node->logfile), qr/FATAL|PANIC|terminated by signal/, 'no crash');

# single-user mode
$node->stop;
my $result = run_log(
	[
		'postgres', '--single', '-D', $node->data_dir, '-c',
		'shared_preload_libraries=', 'postgres'
	],
	'<', \"SELECT classify('a', 'x') IS NOT NULL AS answered\n",
	'>', \$out);
like($out, qr/answered = "t"/, 'works in single-user mode');

done_testing();
