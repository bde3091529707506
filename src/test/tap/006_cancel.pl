# 006_cancel.pl - statement_timeout and cancel end a long forward pass.
#
# A timeout must take effect within 100 ms; on a machine that other work keeps
# busy the test allows 250 ms.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $slack = 250;
my $node = new_cluster('cancel');
my $path = make_large_model('large');
$node->safe_psql('postgres', "SELECT model_register('large', '$path')");

my %statements = (
	'one long text in a batch of many' =>
	  "SELECT count(*) FROM embed_batch(ARRAY(SELECT repeat('word ', 600) || n FROM generate_series(1, 200) n), 'large')",
	'row by row' =>
	  "SELECT count(embed(repeat('word ', 500) || n, 'large')) FROM generate_series(1, 500) n",
	'tokens' =>
	  "SELECT sum(token_count(repeat('!? ', 300000) || n, 'large')) FROM generate_series(1, 500) n",
	'explain' =>
	  "SELECT count(explain_html(repeat('word ', 600) || n)) FROM generate_series(1, 100) n",
	'verify' => "SELECT bool_and(model_verify('large')) FROM generate_series(1, 100)",
	'register' => "SELECT bool_and(model_register('large', '$path') IS NOT NULL) FROM generate_series(1, 100)",
);
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query("SELECT length(embed('x', 'large')::text)");
foreach my $name (sort keys %statements)
{
	my @late;
	foreach my $timeout (100, 230, 370)
	{
		my $start = time;
		my ($status, $out, $err) = $node->psql('postgres', <<"SQL", on_error_stop => 0);
SELECT length(embed('x', 'large')::text);
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::numeric AS start \\gset
\\set VERBOSITY sqlstate
SET statement_timeout = $timeout;
$statements{$name};
\\echo :SQLSTATE
SET statement_timeout = 0;
SELECT 'late', round((extract(epoch FROM clock_timestamp()) * 1000)::numeric - :start - $timeout);
SQL
		push @late, $out =~ /late\|(-?\d+)/ ? $1 : 99999;
		fail("$name: $out $err") unless $out =~ /57014/;
	}
	my $largest = (sort { $b <=> $a } @late)[0];
	cmp_ok($largest, '<', $slack, "$name: timeouts took effect after @late ms");
}
is($session->query("SELECT array_length(embed('x', 'large'), 1)"), '384',
	'other sessions go on');

# what is asked of a session again and again does not make it begin again
SKIP:
{
	skip 'nobody can ask', 4 unless logs_contexts($node);
	my $explains = start_session($node, "SET application_name = 'explains';\n"
		  . "SELECT length(explain_html(repeat('my order is late ', 300))) > 0");
	my $ask = 'SELECT count(pg_log_backend_memory_contexts(pid))'
	  . " FROM pg_stat_activity WHERE application_name = 'explains'";
	my $asked = 0;
	wait_until(sub { $session->query($ask) });
	for (1 .. 300)
	{
		last if $session->query($ask) eq '0';
		$asked++;
		select(undef, undef, undef, 0.1);
	}
	cmp_ok($asked, '>', 1, "an explanation is asked $asked times for something else");
	cmp_ok($asked, '<', 300, 'and ends');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
		  . " WHERE application_name = 'explains'");
	is(finish_session($explains), 0, 'well');
	is($explains->{out}, 't', 'with a result');
}

# cancelled again and again in one session, its memory does not grow
my $memory = "SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'insitu%'";
$session->query("SET statement_timeout = 20");
$session->query($statements{'one long text in a batch of many'}) for 1 .. 5;
my $before = $session->query("RESET statement_timeout; $memory");
$session->query("SET statement_timeout = 20");
$session->query($statements{'one long text in a batch of many'}) for 1 .. 20;
my $after = $session->query("RESET statement_timeout; $memory");
is($after, $before, 'memory does not grow by cancelled calls');
$session->quit;
cmp_ok($node->safe_psql('postgres',
		"SELECT errors FROM model_stats() WHERE name = 'large'"),
	'>', 20, 'cancelled calls are counted as errors');

done_testing();
