# 003_dump_restore.pl - models, aliases, grants and dropped names survive.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('dump');
my ($clf, $emb) = (model_path('bert_classify'), model_path('bert_mean'));
$node->safe_psql('postgres', <<"SQL");
CREATE ROLE reader;
SELECT model_register('clf', '$clf');
SELECT model_register('emb', '$emb', '{"restricted": true}');
SELECT model_register('gone', '$emb', '{"pooling": "max"}');
SELECT model_grant('emb', 'reader');
SELECT model_alias('now', 'clf');
SELECT model_drop('gone');
CREATE TABLE tickets (id int, body text);
INSERT INTO tickets SELECT n, 'text ' || n FROM generate_series(1, 20) n;
CREATE INDEX ON tickets (classify(body, 'clf'));
CREATE TABLE routed (body text, label text
    GENERATED ALWAYS AS (classify(body, 'insitu-mini-en')) STORED);
INSERT INTO routed (body) SELECT body FROM tickets;
CREATE TABLE labelled (body text, label text);
CREATE FUNCTION set_label() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.label := classify(NEW.body, ''clf''); RETURN NEW; END';
CREATE TRIGGER set_label BEFORE INSERT ON labelled
    FOR EACH ROW EXECUTE FUNCTION set_label();
INSERT INTO labelled SELECT body FROM tickets;
SQL

my $facts = <<'SQL';
SELECT name, kind, target, tasks, digest, bytes, restricted FROM model_list() ORDER BY name;
SELECT name, grantee FROM insitu.model_grant ORDER BY 1, 2;
SELECT name, digest FROM insitu.dropped_model ORDER BY 1;
SELECT name, model_verify(name) FROM model_list() WHERE kind = 'stored' ORDER BY name;
SELECT count(*), md5(string_agg(md5(data), '' ORDER BY digest, seq)) FROM insitu.model_chunk;
SELECT id, classify(body, 'clf') FROM tickets ORDER BY id;
SELECT id, (classify_scores(body, 'clf')).label FROM tickets ORDER BY 1, 2;
SELECT body, label FROM routed ORDER BY body;
SELECT body, label FROM labelled ORDER BY body;
SELECT embed('a text', 'emb');
SELECT model_info('clf')->'labels';
SELECT count(*) FROM pg_indexes WHERE tablename = 'tickets';
SQL
my $before = $node->safe_psql('postgres', $facts);
my $folder = $PostgreSQL::Test::Utils::tmp_check;

foreach my $format ('plain', 'custom', 'directory')
{
	my $dump = "$folder/dump.$format";
	$node->command_ok(
		[ 'pg_dump', '-F', $format, '-f', $dump, '-d', $node->connstr('postgres') ],
		"$format dump");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format");
	my @command =
	  $format eq 'plain'
	  ? ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
		'-d', $node->connstr("restored_$format"))
	  : ('pg_restore', '--exit-on-error', '-d',
		$node->connstr("restored_$format"), $dump);
	$node->command_ok(\@command, "$format restore");
	is($node->safe_psql("restored_$format", $facts), $before,
		'everything is the same');
}
is(sqlstate($node, "SELECT model_register('gone', '$clf')", 'restored_plain'),
	'22023', 'a dropped name is remembered');
is(sqlstate($node, "SET ROLE reader; SELECT embed('x', 'emb')", 'restored_plain'),
	'', 'a grant holds');

# in another cluster, where the role is missing
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
configure($other);
$other->start;
$other->safe_psql('postgres', 'CREATE ROLE stranger');
$other->command_ok(
	[ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/dump.plain",
		'-d', $other->connstr('postgres') ],
	'restore in another cluster');
is($other->safe_psql('postgres', $facts), $before, 'everything is the same');
is(sqlstate($other, "SET ROLE stranger; SELECT embed('x', 'emb')"),
	'42501', 'a restricted model stays restricted');

done_testing();
