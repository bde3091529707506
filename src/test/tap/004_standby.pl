# 004_standby.pl - a hot standby answers, notices changes and writes nothing.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_cluster('primary', allows_streaming => 1);
my ($clf, $multi) = (model_path('bert_classify'), model_path('bert_multi_label'));
$primary->safe_psql('postgres', <<"SQL");
SELECT model_register('one', '$clf'), model_register('two', '$multi');
SELECT model_alias('now', 'one');
SELECT classify('x', 'one');
SQL
$primary->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'b', has_streaming => 1);
is(scalar(cache_files($standby, 'pack')), 0, 'a base backup has no weights');
$standby->start;
$primary->wait_for_catchup($standby);

my $query = "SELECT classify_score('a text', 'label-1', 'one'), classify('a text')";
is($standby->safe_psql('postgres', $query), $primary->safe_psql('postgres', $query),
	'the standby answers as the primary does');
is(scalar(cache_files($standby, 'pack')), 1, 'from a file of its own');
is($standby->safe_psql('postgres', "SELECT count(*) FROM model_list()"), '4',
	'model_list works');
is($standby->safe_psql('postgres', "SELECT loads FROM model_stats() WHERE name = 'one'"),
	'1', 'model_stats works');
is($standby->safe_psql('postgres', "SELECT model_verify('one')"), 't',
	'model_verify works');
is(sqlstate($standby, "SELECT model_register('x', '$clf')"), '25006',
	'registering is refused');
is(sqlstate($standby, "SELECT model_drop('one')"), '25006', 'dropping is refused');
is(sqlstate($standby, "SELECT model_alias('now', 'two')"), '25006',
	'moving an alias is refused');

# training writes nothing
my $train = <<'SQL';
SET client_min_messages = warning;
SELECT md5(train_classifier('text ' || n, chr(97 + n % 2) ORDER BY n))
  FROM generate_series(1, 20) n
SQL
like($standby->safe_psql('postgres', $train), qr/^[0-9a-f]{32}$/,
	'the standby trains');
is($standby->safe_psql('postgres', $train), $primary->safe_psql('postgres', $train),
	'the same model as the primary');

# a session of the standby that has looked names up
my $session = $standby->background_psql('postgres');
$session->query_safe("SET insitu.default_classifier = 'now'");
is($session->query_safe("SELECT count(*) FROM classify_scores('x')"), '3',
	'the alias is the first model');
$primary->safe_psql('postgres', "SELECT model_alias('now', 'two')");
$primary->wait_for_catchup($standby);
is($session->query_safe("SELECT count(*) FROM classify_scores('x')"), '5',
	'then the second');
$primary->safe_psql('postgres', "SELECT model_drop('one')");
$primary->wait_for_catchup($standby);
is(sqlstate($standby, "SELECT classify('x', 'one')"), '42704', 'a drop arrives');
$session->quit;

$standby->promote;
is($standby->safe_psql('postgres', "SELECT model_drop('now')"), 't',
	'a promoted standby changes models');

done_testing();
