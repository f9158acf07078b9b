// cnitool and the reference plugins, built from their Go modules.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cacheDirectory, systemPath, toolDirectory } from '../project.ts';
import { run } from '../run.ts';
import { findExecutable, installDebianPackages } from './debian.ts';
import { goToolchain } from './go-toolchain.ts';

interface GoModule {
	readonly module: string;
	readonly version: string;
	/** Paths of the commands' packages inside the module. */
	readonly commands: readonly string[];
}

const MODULES: readonly GoModule[] = [
	{ module: 'github.com/containernetworking/cni', version: 'v1.3.0', commands: ['cnitool'] },
	{
		module: 'github.com/containernetworking/plugins',
		version: 'v1.9.1',
		commands: [
			'plugins/main/bridge',
			'plugins/main/loopback',
			'plugins/main/ptp',
			'plugins/ipam/host-local',
			'plugins/ipam/static',
			'plugins/meta/firewall',
			'plugins/meta/portmap',
		],
	},
];

/** The oldest Go that builds these modules, by their go.mod. */
const OLDEST_GO = '1.24.2';

/** Puts the commands into build/cache/bin, unless they are there at these versions. Throws a BuildError when it cannot. */
export async function installGoTools(): Promise<void> {
	const missing = MODULES.filter((module) => !isInstalled(module));
	if (missing.length === 0) return;

	installDebianPackages([{ file: '/etc/ssl/certs/ca-certificates.crt', debianPackage: 'ca-certificates' }]);
	const go = goOfThisMachine() ?? (await goToolchain());
	mkdirSync(toolDirectory, { recursive: true });
	for (const module of missing) {
		console.log(`building ${module.module} ${module.version}`);
		const packages = module.commands.map((command) => `${module.module}/${command}@${module.version}`);
		run(go, ['install', '-trimpath', '-modcacherw', ...packages], {
			cwd: toolDirectory,
			environment: goEnvironment(),
			remedy: 'is the Go module proxy reachable (GOPROXY)?',
		});
		writeFileSync(stampOf(module), stampText(module));
	}
	rmSync(buildCache, { recursive: true });
}

const buildCache = `${cacheDirectory}/go-build`;

/** Without the C compiler, which may not be there, and without anything outside build/cache but the module cache. */
function goEnvironment(): NodeJS.ProcessEnv {
	return {
		GOPATH: `${cacheDirectory}/go-path`,
		...process.env,
		PATH: systemPath(),
		GOBIN: toolDirectory,
		GOCACHE: buildCache,
		GOTOOLCHAIN: 'local',
		CGO_ENABLED: '0',
	};
}

function stampOf({ module }: GoModule): string {
	return `${toolDirectory}/.${module.replaceAll('/', '-')}`;
}

function stampText({ version, commands }: GoModule): string {
	return `${[version, ...commands].join('\n')}\n`;
}

function isInstalled(module: GoModule): boolean {
	const stamp = stampOf(module);
	return (
		existsSync(stamp) &&
		readFileSync(stamp, 'utf8') === stampText(module) &&
		module.commands.every((command) => existsSync(`${toolDirectory}/${command.split('/').at(-1)}`))
	);
}

/** The `go` in PATH, undefined when there is none or it is too old. */
function goOfThisMachine(): string | undefined {
	const go = findExecutable('go');
	if (go === undefined) return undefined;
	const version = /go(\d[\d.]*)/.exec(run(go, ['version'], { environment: goEnvironment() }))?.[1] ?? '0';
	return version.localeCompare(OLDEST_GO, 'en', { numeric: true }) < 0 ? undefined : go;
}
