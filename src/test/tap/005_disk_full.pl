# 005_disk_full.pl - no room for the shared file: an error, not a crash.
#
# SPDX-License-Identifier: PostgreSQL
use strict;
use warnings;
use InsituCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('full');
my $path = make_large_model('medium', '--layers', 2, '--hidden', 256,
	'--heads', 4, '--intermediate', 512, '--vocabulary', 16000);
$node->safe_psql('postgres', "SELECT model_register('m', '$path')");
my $call = "SELECT array_length(embed('x', 'm'), 1)";

# A directory on which nothing can be written stands for one without rights.
my $folder = "$PostgreSQL::Test::Utils::tmp_check/cache";
mkdir $folder;
chmod 0500, $folder;
$node->append_conf('postgresql.conf', "insitu.cache_directory = '$folder'\n");
$node->reload;
my $session = $node->background_psql('postgres', on_error_stop => 0);
is(sqlstate($node, $call), '42501', 'a directory without rights is an error');
chmod 0700, $folder;
is($node->safe_psql('postgres', $call), '256', 'then it works');
is(scalar(() = glob "$folder/*/*.pack"), 1, 'in the directory of the setting');
is(scalar(cache_files($node, 'pack')), 0, 'and only there');
$node->append_conf('postgresql.conf', "insitu.cache_directory = '/nonexistent/x'\n");
$node->reload;
isnt(sqlstate($node, $call), '', 'a missing directory is an error');
$node->append_conf('postgresql.conf', "insitu.cache_directory = ''\n");
$node->restart;

# Files of the server may not exceed 4 MB: what a full disk does to a write.
my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
my ($out, $err);
my $limited = IPC::Run::run(
	[ 'prlimit', "--fsize=4194304:unlimited", '--pid', $pid ],
	'>', \$out, '2>', \$err);
SKIP:
{
	skip "prlimit does not work here: $err", 5 unless $limited;
	my $state = sqlstate($node, $call);
	like($state, qr/^(53100|58030|54000)$/, "no room is an error ($state)");
	is(scalar(cache_files($node, 'tmp')), 0, 'nothing unfinished is left');
	is($node->safe_psql('postgres', "SELECT classify('x') IS NOT NULL"), 't',
		'other models go on');
	IPC::Run::run([ 'prlimit', '--fsize=unlimited:unlimited', '--pid', $pid ]);
	is($node->safe_psql('postgres', $call), '256', 'with room it works');
	unlike(slurp_file($node->logfile), qr/terminated by signal/, 'no crash');
}

done_testing();
