# 008_stress.pl - little memory, and many sessions that change models at once.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('stress');
my ($clf, $multi) = (model_path('bert_classify'), model_path('bert_multi_label'));

# a backend whose address space ends: an error, no hang, and it lives
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');
my $size = 0;
$size = $1 * 1024 if slurp_file("/proc/$pid/status") =~ /VmSize:\s+(\d+) kB/;
my ($out, $err) = ('', '');
my $limited = $size > 0 && IPC::Run::run(
	[ 'prlimit', '--as=' . ($size + 120 * 1024 * 1024) . ':unlimited', '--pid', $pid ],
	'>', \$out, '2>', \$err);
SKIP:
{
	skip "prlimit does not work here: $err", 4 unless $limited;
	is($session->query("SELECT classify('x')"), '', 'no room for the work area');
	like($session->{stderr}, qr/out of memory|could not map|memory/,
		'is an out-of-memory error');
	is($session->query('SELECT 1'), '1', 'the backend lives');
	IPC::Run::run([ 'prlimit', '--as=unlimited:unlimited', '--pid', $pid ]);
	isnt($session->query("SELECT classify('x')"), '', 'with room it works');
}
$session->quit;

# eight sessions that register, call, alias and drop for a while
$node->safe_psql('postgres', "SELECT model_register('steady', '$clf')");
my $folder = $PostgreSQL::Test::Utils::tmp_check;
my %scripts = (
	change => <<"SQL",
\\set n random(1, 4)
DO \$\$ BEGIN
  PERFORM model_register('m' || :n, '$clf');
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE NOT IN ('22023') THEN RAISE; END IF;
END \$\$;
DO \$\$ BEGIN
  PERFORM model_drop('m' || :n, true, true);
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END \$\$;
SQL
	move => <<"SQL",
\\set n random(1, 4)
DO \$\$ BEGIN
  PERFORM model_alias('now', 'm' || :n);
  PERFORM set_config('insitu.default_classifier', 'now', true);
  PERFORM classify('a text');
EXCEPTION WHEN undefined_object OR internal_error THEN NULL;
END \$\$;
SQL
	call => <<"SQL",
\\set n random(1, 4)
DO \$\$ BEGIN
  IF classify('a text', 'm' || :n) NOT LIKE 'label-%' THEN
    RAISE EXCEPTION 'wrong label';
  END IF;
EXCEPTION WHEN undefined_object THEN NULL;
END \$\$;
SELECT count(classify('text ' || n, 'steady')) FROM generate_series(1, 20) n;
SQL
);
my @files;
foreach my $name (sort keys %scripts)
{
	append_to_file("$folder/$name.pgbench", $scripts{$name});
	push @files, '-f', "$folder/$name.pgbench";
}
$node->command_ok(
	[ 'pgbench', '-n', '-c', 8, '-j', 2, '-T', 8, @files,
		$node->connstr('postgres') ],
	'eight sessions change and use models for 8 s');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|deadlock/,
	'no crash, no deadlock');
is($node->safe_psql('postgres', "SELECT classify('x', 'steady') LIKE 'label-%'"),
	't', 'the steady model answers');
$node->safe_psql('postgres', "SELECT model_drop('now', true)");
$node->safe_psql('postgres', "SELECT model_drop('m' || n, true, true) FROM generate_series(1, 4) n");
is($node->safe_psql('postgres', 'SELECT count(*) FROM insitu.model_chunk'), '1',
	'parts of dropped models are gone');
is(scalar(cache_files($node, 'pack')), 1, 'and their files');

done_testing();
