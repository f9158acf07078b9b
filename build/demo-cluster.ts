// Shows the virtual networks at work: a master, three hosts, containers that reach each other: `npm run demo:cluster`.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { executableDirectory, projectDirectory, systemPath } from './project.ts';
import { BuildError, runScript } from './run.ts';

/** The underlay, and the master on it. */
const UNDERLAY = 'demo-underlay';
const HOSTS = [1, 2, 3].map((number) => ({
	name: `demo-host-${number}`,
	container: `demo-container-${number}`,
	ip: `10.77.0.${number}`,
	port: `p${number}`,
	token: `demo-token-of-agent-${number}`,
}));
const NAMESPACES = [UNDERLAY, ...HOSTS.flatMap(({ name, container }) => [name, container])];
const MASTER = '10.77.0.254:5055';
const OPERATOR = 'demo-token-of-an-operator';
/** Everything that is written; also what keeps two demos from running at once. */
const DIRECTORY = '/run/mesos-overlay-demo-cluster';
const PROGRAM = `${executableDirectory.replace(`${projectDirectory}/`, '')}/mesos-overlay`;

const CONFIGURATION = `dcos_overlay_network:
  vtep_subnet: 44.128.0.0/20
  vtep_mac_oui: 70:B3:D5:00:00:00
  overlays:
    - { name: dcos, subnet: 9.0.0.0/8, prefix: 26 }
    - { name: dcos-1, subnet: 192.168.0.0/16, prefix: 24 }
`;

/** Of the state in the original's form, what is shown. */
interface DocumentState {
	readonly agents: readonly {
		readonly ip: string;
		readonly overlays: readonly {
			readonly info: { readonly name: string };
			readonly subnet: string;
			readonly backend: { readonly vxlan: { readonly vtep_ip: string } };
			readonly state: { readonly status: string };
		}[];
	}[];
}

const daemons: { readonly child: ChildProcess; readonly log: string }[] = [];
/** From the first signal on, no step is begun. */
let interruptedBy: NodeJS.Signals | undefined;

await runScript(async () => {
	if (process.getuid?.() !== 0) throw new BuildError('The demo makes network namespaces, which only root may.');
	const left = leftovers();
	if (left.length > 0) {
		const remedy = `for n in ${NAMESPACES.join(' ')}; do ip netns del $n; done; rm -r ${DIRECTORY}`;
		throw new BuildError(
			`Another demo is running, or was killed (${left.join(', ')}). To clean up after it: ${remedy}`,
		);
	}
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (interruptedBy = signal));
	try {
		await prepare();
		await startDaemons();
		await launchAndPing();
		await addNetwork();
		await removeHost();
	} finally {
		await cleanUp();
	}
	if (process.exitCode === undefined) console.log(styleText('green', '\nThe demo succeeded.'));
});

async function prepare(): Promise<void> {
	heading('Three hosts and three containers, each a network namespace, on one underlay');
	mkdirSync(DIRECTORY);
	for (const namespace of NAMESPACES) await shell(`ip netns add ${namespace}`, 'quiet');
	const underlay = 'link set lo up; link add u0 type bridge; link set u0 up; address add 10.77.0.254/24 dev u0'.split(
		'; ',
	);
	for (const words of underlay) await shell(`ip -n ${UNDERLAY} ${words}`, 'quiet');
	for (const { name, ip, port } of HOSTS) {
		await shell(`ip -n ${UNDERLAY} link add ${port} type veth peer name eth0 netns ${name}`, 'quiet');
		await shell(`ip -n ${UNDERLAY} link set ${port} master u0 up`, 'quiet');
		await shell(`ip -n ${name} address add ${ip}/24 dev eth0`, 'quiet');
		for (const device of ['lo', 'eth0']) await shell(`ip -n ${name} link set ${device} up`, 'quiet');
	}
	console.log(HOSTS.map(({ name, ip }) => `${name} has ${ip}`).join('\n'));

	heading('The configuration of the master');
	writeFileSync(`${DIRECTORY}/overlay.yaml`, CONFIGURATION);
	await shell(`cat ${DIRECTORY}/overlay.yaml`);
	const secret = (file: string, text: string): void => writeFileSync(`${DIRECTORY}/${file}`, text, { mode: 0o600 });
	secret('agents', HOSTS.map(({ ip, token }) => `${ip} ${token}\n`).join(''));
	secret('operators', `demo ${OPERATOR}\n`);
	for (const { name, token } of HOSTS) secret(`${name}.token`, token);
}

async function startDaemons(): Promise<void> {
	heading('A master, and an agent on each host');
	const tokens = `--agent-tokens ${DIRECTORY}/agents --operator-tokens ${DIRECTORY}/operators`;
	const files = `--config ${DIRECTORY}/overlay.yaml --state ${DIRECTORY}/master.db`;
	await daemon(UNDERLAY, `master ${files} --listen ${MASTER} ${tokens} --ignore-host-networks`, 'master started');
	for (const { name, ip } of HOSTS) {
		const places = `--cni-dir ${DIRECTORY}/${name}/cni --state-dir ${DIRECTORY}/${name}/state --run-dir ${DIRECTORY}/${name}`;
		const words = `agent --master http://${MASTER} --ip ${ip} --token-file ${DIRECTORY}/${name}.token ${places} --docker none`;
		await daemon(name, words, 'network well');
	}
	heading('What the first host has now');
	remark('the tunnel, vtep1024, and a bridge for each network');
	await shell(`ip -n ${HOSTS[0]?.name} -brief address`);
	remark('a route to the part of each other host, through the tunnel; what no host has is unreachable');
	await shell(`ip -n ${HOSTS[0]?.name} route`);
	remark('a configuration for each network, by which Mesos launches containers on it');
	await shell(`cat ${DIRECTORY}/${HOSTS[0]?.name}/cni/dcos.conf`);
}

async function launchAndPing(): Promise<void> {
	heading('A container on each host, attached by the configuration that the agent wrote');
	const addresses: string[] = [];
	for (const host of HOSTS) addresses.push(await launch(host, 'dcos', 'eth0'));
	heading('From the first container to the others');
	for (const address of addresses.slice(1)) {
		await shell(`ip netns exec ${HOSTS[0]?.container} ping -n -c 2 -i 0.2 ${address}`);
	}
	heading('A packet that fills the MTU: 1450 bytes, which with the 50 of the tunnel are 1500');
	await shell(`ip netns exec ${HOSTS[0]?.container} ping -n -c 1 -M do -s 1422 ${addresses[2]}`);
	heading(
		"The master's view, as the original shows it: the address of each host's tunnel end, its parts, how it fares",
	);
	const { agents } = JSON.parse(await shell(curl('/overlay-master/state'), 'unheard')) as DocumentState;
	for (const { ip, overlays } of agents) {
		const parts = overlays.map(({ info, subnet, state }) => `${info.name} ${subnet} ${state.status}`);
		console.log([ip, overlays[0]?.backend.vxlan.vtep_ip, ...parts].join('   '));
	}
}

async function addNetwork(): Promise<void> {
	heading('A network is added while everything runs');
	const body = `-X POST -d '{"name": "late", "subnet": "10.96.0.0/16", "prefix": 24}'`;
	await shell(`${curl('/v1/networks', body)}; echo`);
	const time = await waitFor('its configuration', () =>
		HOSTS.every(({ name }) => existsSync(`${DIRECTORY}/${name}/cni/late.conf`)),
	);
	remark(`on all hosts ${time} ms after the answer`);
	const [one, other] = HOSTS;
	if (one === undefined || other === undefined) return;
	await launch(one, 'late', 'eth1');
	const address = await launch(other, 'late', 'eth1');
	await shell(`ip netns exec ${one.container} ping -n -c 2 -i 0.2 -I eth1 ${address}`);
}

async function removeHost(): Promise<void> {
	heading('The third host is removed: within a second, nothing on the others leads to it');
	const [first, , third] = HOSTS;
	if (first === undefined || third === undefined) return;
	await shell(`ip -n ${first.name} route show proto 124`);
	await end(daemons.pop());
	await shell(
		`${curl('/overlay-master/agents/delete', `-X POST -d '{"agents": ["${third.ip}"], "force": true}'`)} > /dev/null`,
	);
	const others = HOSTS.filter((host) => host !== third);
	const time = await waitFor('the others', () =>
		others.every(({ name }) => !/9\.0\.0\.128/.test(query(`ip -n ${name} route show proto 124`))),
	);
	remark(`gone from the others ${time} ms after the answer`);
	await shell(`ip -n ${first.name} route show proto 124`);
	heading('And everything of the agent is taken off it');
	const places = `--cni-dir ${DIRECTORY}/${third.name}/cni --state-dir ${DIRECTORY}/${third.name}/state --run-dir ${DIRECTORY}/${third.name}`;
	await shell(cniCall('DEL', third, 'dcos', 'eth0'));
	await shell(`ip netns exec ${third.name} ${PROGRAM} agent --remove ${places} --docker none`);
	await shell(`ip -n ${third.name} -brief link`);
}

async function launch(host: (typeof HOSTS)[number], network: string, ifname: string): Promise<string> {
	const { ip4 } = JSON.parse(await shell(cniCall('ADD', host, network, ifname), 'unheard')) as {
		ip4: { ip: string };
	};
	remark(`${host.container} has ${ip4.ip} on ${network}`);
	return ip4.ip.replace(/\/.*/, '');
}

function cniCall(
	command: string,
	{ name, container }: (typeof HOSTS)[number],
	network: string,
	ifname: string,
): string {
	return [
		`ip netns exec ${name} env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin CNI_COMMAND=${command}`,
		`CNI_CONTAINERID=${container} CNI_NETNS=/run/netns/${container} CNI_IFNAME=${ifname} CNI_PATH=build/bin`,
		`${PROGRAM} < ${DIRECTORY}/${name}/cni/${network}.conf`,
	].join(' \\\n    ');
}

function curl(path: string, more = ''): string {
	const header = (text: string): string => `-H '${text}'`;
	const headers = `${header(`authorization: Bearer ${OPERATOR}`)} ${header('content-type: application/json')}`;
	return `ip netns exec ${UNDERLAY} curl -sSf -m 10 ${headers} ${more} http://${MASTER}${path}`;
}

/** Starts a daemon, and waits until its log has an event. */
async function daemon(namespace: string, words: string, event: string): Promise<void> {
	const command = `ip netns exec ${namespace} ${PROGRAM} ${words}`;
	console.log(styleText('bold', `$ ${command} &`));
	const log = `${DIRECTORY}/${namespace}.log`;
	const descriptor = openSync(log, 'w');
	const options = { cwd: projectDirectory, env: { ...process.env, PATH: systemPath() }, detached: true };
	const [program = '', ...rest] = command.split(' ');
	const child = spawn(program, rest, { ...options, stdio: ['ignore', 'inherit', descriptor] });
	closeSync(descriptor);
	daemons.push({ child, log });
	await waitFor(`"${event}" in ${log}`, () => readFileSync(log, 'utf8').includes(`"${event}"`));
}

async function end(daemonToEnd: (typeof daemons)[number] | undefined): Promise<void> {
	if (daemonToEnd === undefined) return;
	const { child } = daemonToEnd;
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, 'exit');
	child.kill('SIGTERM');
	await ended;
}

/** Gives the milliseconds that it took. */
async function waitFor(what: string, condition: () => boolean): Promise<number> {
	const begin = performance.now();
	const limit = begin + 10_000;
	while (!condition()) {
		if (interruptedBy !== undefined) throw new BuildError(`\nThe demo was stopped by ${interruptedBy}`);
		if (performance.now() > limit) {
			const said = daemons.map(({ log }) => readFileSync(log, 'utf8')).join('');
			throw new BuildError(`\nThe demo failed: waiting for ${what} in vain:\n${said}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return Math.round(performance.now() - begin);
}

/**
 * Prints a command, runs it, prints what it prints, and returns that. Of one that is `unheard`, only the command is printed; of
 * one that is `quiet`, nothing. Throws when it fails.
 */
async function shell(command: string, loudness: 'loud' | 'unheard' | 'quiet' = 'loud'): Promise<string> {
	const isLoud = loudness === 'loud';
	if (loudness !== 'quiet') console.log(styleText('bold', `$ ${command}`));
	const options = { cwd: projectDirectory, env: { ...process.env, PATH: systemPath() } };
	const child = spawn('sh', ['-c', command], { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
		if (isLoud) process.stdout.write(text);
	});
	const [status] = (await once(child, 'close')) as [number | null];
	if (interruptedBy !== undefined) throw new BuildError(`\nThe demo was stopped by ${interruptedBy}`);
	if (status !== 0) throw new BuildError(`\nThe demo failed: "${command}" ended with status ${status}.`);
	return output;
}

function query(command: string): string {
	return spawnSync('sh', ['-c', command], { encoding: 'utf8', env: { ...process.env, PATH: systemPath() } }).stdout;
}

function heading(text: string): void {
	console.log(styleText('cyan', `\n== ${text}`));
}

/** Says what is to be seen. */
function remark(text: string): void {
	console.log(styleText('dim', `# ${text}`));
}

async function cleanUp(): Promise<void> {
	heading('The machine is as it was');
	await Promise.all(daemons.map(end));
	const commands = NAMESPACES.filter(hasNamespace).map((namespace) => `ip netns del ${namespace}`);
	spawnSync('setsid', ['--wait', 'sh', '-c', commands.join('; ')], { env: { ...process.env, PATH: systemPath() } });
	rmSync(DIRECTORY, { recursive: true, force: true });
	const left = leftovers();
	if (left.length > 0) {
		console.error(`It is not: ${left.join(', ')}`);
		process.exitCode = 1;
	} else {
		console.log(`No namespace demo-*, no ${DIRECTORY}, no process.`);
	}
}

function leftovers(): string[] {
	return [...NAMESPACES.filter(hasNamespace), ...(existsSync(DIRECTORY) ? [DIRECTORY] : [])];
}

function hasNamespace(name: string): boolean {
	return existsSync(`/run/netns/${name}`);
}
