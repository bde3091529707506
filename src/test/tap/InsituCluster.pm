# InsituCluster.pm - what the TAP tests share: clusters with a staged
# installation, models, and sessions that run in the background.
#
# src/test/run_pg.sh sets INSITU_SETTINGS (a file with what
# src/test/staged_settings.sh prints), INSITU_MODELS (Hugging Face directories)
# and INSITU_PYTHON.
#
# SPDX-License-Identifier: PostgreSQL
package InsituCluster;

use strict;
use warnings;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_cluster configure model_path make_large_model
  start_session finish_session wait_until cache_files sqlstate logs_contexts);

sub configure
{
	my ($node) = @_;
	$node->append_conf('postgresql.conf', slurp_file($ENV{INSITU_SETTINGS}));
	return $node;
}

# A started cluster with the extension.
sub new_cluster
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%options);
	configure($node);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION insitu');
	return $node;
}

sub model_path
{
	return "$ENV{INSITU_MODELS}/encoder_$_[0]";
}

# The geometry of MiniLM, 90 MB; other arguments as make_random_model.py's.
sub make_large_model
{
	my ($name, @options) = @_;
	my $path = "$PostgreSQL::Test::Utils::tmp_check/$name";
	system_or_bail($ENV{INSITU_PYTHON},
		"$ENV{INSITU_MODELS}/make_random_model.py", $path, @options);
	return $path;
}

my $sessions = 0;

# psql in the background with one script.
sub start_session
{
	my ($node, $sql) = @_;
	my %session = (out => '', err => '');
	# Input from a variable would wait until somebody pumps it.
	my $script = "$PostgreSQL::Test::Utils::tmp_check/session$$.$sessions.sql";
	$sessions++;
	append_to_file($script, $sql);
	$session{run} = IPC::Run::start(
		[
			'psql', '-XAtq', '-d', $node->connstr('postgres'),
			'-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-f', $script
		],
		'<', '/dev/null', '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

# Its exit status.
sub finish_session
{
	my ($session) = @_;
	$session->{run}->finish;
	chomp $session->{out};
	return $session->{run}->result(0);
}

# Polls for at most 20 seconds.
sub wait_until
{
	my ($check) = @_;
	for (1 .. 400)
	{
		return 1 if $check->();
		select(undef, undef, undef, 0.05);
	}
	return 0;
}

# Names of the shared files of all databases.
sub cache_files
{
	my ($node, $suffix) = @_;
	my $root = $node->data_dir . '/pg_stat_tmp/insitu';
	my @files = glob("$root/*/*.$suffix");
	return @files;
}

# Whether one session can ask another for its memory contexts: from PostgreSQL
# 14 on.
sub logs_contexts
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		"SELECT to_regproc('pg_log_backend_memory_contexts') IS NOT NULL") eq 't';
}

# The SQLSTATE of a statement, '' when it succeeds.
sub sqlstate
{
	my ($node, $sql, $database) = @_;
	my ($status, $out, $err) = $node->psql($database // 'postgres',
		"\\set VERBOSITY sqlstate\n$sql");
	return $err =~ /ERROR:\s+(\w+)/ ? $1 : $status == 0 ? '' : "?$err";
}

1;
