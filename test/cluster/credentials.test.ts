// How an agent shows the master who it is.
import { writeFileSync } from 'node:fs';
import { createAuthority, issue } from '../helpers/certificates.ts';
import { executable } from '../helpers/cni.ts';
import { createCluster } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { startDaemon, startRequester, until } from '../helpers/cluster-process.ts';
import { createPlace, masterCommand } from '../helpers/master.ts';
import { testOn } from '../helpers/requirements.ts';

testOn(['vxlan', 'ipv6'], 'by a certificate, to a master whose certificate it verifies', async (t) => {
	const { hosts } = createCluster(t, 1);
	const [host] = hosts;
	if (host === undefined) throw new Error('expected a host');
	const place = createPlace(t);
	const { directory } = place;
	const [authority, stranger] = ['authority', 'stranger'].map((name) => createAuthority(directory, name));
	if (authority === undefined || stranger === undefined) throw new Error('expected authorities');
	const server = issue(directory, authority, 'master', { names: 'IP:127.0.0.1' });
	const own = issue(directory, authority, 'agent', { names: `IP:${host.ip}` });
	const other = issue(directory, authority, 'other', { names: 'IP:10.64.0.9' });
	for (const { key } of [server, own, other]) host.must(['chmod', '600', key]);
	const tls = ['--tls-certificate', server.certificate, '--tls-key', server.key, '--agent-ca', authority.certificate];
	host.must(['ip', 'link', 'set', 'lo', 'up']);
	const master = startDaemon(t, host, masterCommand(place, '--listen', '127.0.0.1:5055', ...tls));
	await master.event('master started');

	const start = ({ certificate, key }: typeof own, ca: string, port: number) => {
		const places = ['--cni-dir', `${directory}/cni`, '--state-dir', `${directory}/state-${port}`];
		const connection = ['--master', 'https://127.0.0.1:5055', '--tls-ca', ca];
		const more = [
			'--tls-certificate',
			certificate,
			'--tls-key',
			key,
			'--docker',
			'none',
			'--run-dir',
			host.directory,
		];
		const listen = ['--listen', `127.0.0.1:${port}`];
		return startDaemon(t, host, [
			executable,
			'agent',
			'--ip',
			host.ip,
			...places,
			...connection,
			...more,
			...listen,
		]);
	};
	const wrong = start(other, authority.certificate, 6001);
	const { error } = await wrong.event('master refuses');
	t.regex(String(error), /the credential of "other" is not for 10.64.0.1/);
	await wrong.end();
	const deceived = start(own, stranger.certificate, 6002);
	t.regex(String((await deceived.event('master away')).error), /certificate|self.signed|issuer/i);
	await deceived.end();

	const agent = start(own, authority.certificate, 6003);
	const request = startRequester(t, host);
	await until(
		'the agent to be connected',
		async () => {
			const { json } = await request('GET', 'http://127.0.0.1:6003/healthz');
			return (json as { master?: string }).master === 'connected';
		},
		5000,
	);
	t.not(host.link('vtep1024'), undefined);
	t.is(await agent.end(), 0);
});

testOn(['vxlan', 'ipv6'], 'a token that is exchanged counts without a restart', async (t) => {
	const { hosts } = await startCluster(t, { size: 1 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected a host');
	const token = `${host.directory}/token`;
	const right = host.must(['cat', token]);
	await host.agent().end();
	writeFileSync(token, 'a-token-that-nobody-knows');
	const agent = await host.startAgent();
	const { error } = await agent.event('master refuses');
	t.is(error, 'registering: the master refuses: the token is not known');
	writeFileSync(token, right);
	await until('the agent to be connected', async () => (await host.masterIs()) === 'connected', 8000);

	await agent.end();
	host.must(['chmod', '644', token]);
	const careless = startDaemon(t, host, host.command());
	t.is(await careless.end('SIGCONT'), 78);
	t.regex(
		careless.notes.join(''),
		/reading the credential ".*token": others can use it \(mode 0644\), chmod 600 it$/,
	);
});
