import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpException,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import type { Browser } from 'playwright-core';
import { map, type Observable } from 'rxjs';
import type { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../src/data-sinks/index.js';
import { launchChromium } from '../support/browser/chromium.js';
import { ConsolePage } from '../support/browser/console-page.js';
import { buildConsole } from '../support/browser/suite-console.js';
import { TOKEN } from '../support/guest/ask.js';
import { AGENT, type GuestHost, type GuestHostRequest, startGuestHost } from '../support/guest/guest-host.js';
import { openMigratedPglite } from '../support/pglite-template.js';

let database: DataSource;
let browser: Browser;
let host: GuestHost | null = null;

beforeAll(async () => {
  buildConsole();
  browser = await launchChromium();
  database = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await database?.destroy();
});
afterEach(async () => {
  await host?.close();
  host = null;
});

async function visit(more: Pick<GuestHostRequest, 'host' | 'module'>): Promise<ConsolePage> {
  host = await startGuestHost({
    framework: 'Express',
    database,
    ...more,
    module: { worker: false, console: 'console', ...more.module },
  });
  return ConsolePage.open(browser, `${host.origin}/console`, {});
}

const Public = (): ClassDecorator & MethodDecorator => SetMetadata('isPublic', true);

/** Lets the page through, since it is a page, and nothing else that is not public. */
@Injectable()
class PagesAloneGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { url } = context.switchToHttp().getRequest<{ url: string }>();
    if (
      url.startsWith('/console') ||
      this.reflector.getAllAndOverride('isPublic', [context.getHandler(), context.getClass()])
    )
      return true;
    throw new UnauthorizedException('Sign in with your company first.');
  }
}

const guarded = { provide: APP_GUARD, useClass: PagesAloneGuard };

const throttled = {
  provide: APP_GUARD,
  useValue: {
    canActivate: (context: ExecutionContext) => {
      if (context.switchToHttp().getRequest<{ url: string }>().url.startsWith('/console')) return true;
      throw new HttpException('ThrottlerException: Too Many Requests', 429);
    },
  },
};

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ success: true, data })));
  }
}

/** The host’s own, where the reference host has them. */
@Controller('api/v1/agents')
class HostsAgents {
  @Get()
  list(): object {
    return { items: [{ id: AGENT, name: 'Hotel matcher', status: 'ACTIVE', createdAt: new Date() }], nextCursor: null };
  }

  @Get(':id')
  one(): object {
    return { id: AGENT, name: 'Hotel matcher', status: 'ACTIVE', createdAt: new Date() };
  }

  @Get(':id/rule-sets/current')
  rules(): object {
    return { rules: { data_sinks: { auto_push_on_job_complete: true } } };
  }
}

/** The page of an application in the browser, at every address that it knows no better of. */
@Controller()
class PagesOfAgents {
  @Get(['api/v1/agents', 'api/v1/agents/:id', 'api/v1/agents/:id/rule-sets/current'])
  @Header('Content-Type', 'text/html')
  page(): string {
    return '<!doctype html><title>The platform</title>';
  }
}

/** The same, before everything else. */
@Controller()
class EveryPage {
  @Get('api/v1/*path')
  @Header('Content-Type', 'text/html')
  page(): string {
    return '<!doctype html><title>Sign in to the platform</title>';
  }
}

describe('a guard of the host’s that refuses the API, and not the page', () => {
  it.each([
    ['that asks for its own session', guarded, 'Sign in with your company first.'],
    ['that limits its clients', throttled, 'Too Many Requests'],
  ])('%s: the page says whose refusal it is, and what the host does about it', async (_whose, provider, words) => {
    const visitor = await visit({ host: { providers: [provider] } });
    await visitor.field('API token').fill(TOKEN);
    await visitor.button('Sign in').click();
    await visitor.sees(words);
    await visitor.sees('decorators: [Public(), SkipThrottle()]');
    expect(await visitor.page.getByText('unknown or was revoked').count()).toBe(0);
    expect(await visitor.axeFindings()).toEqual([]);
    expect(await visitor.page.evaluate<number>('sessionStorage.length')).toBe(0);
  });

  it('that begins to refuse while somebody works is told on the screen, and the token is kept', async () => {
    const refuses = { now: false };
    const guard = {
      canActivate: (context: ExecutionContext) => {
        if (!refuses.now || context.switchToHttp().getRequest<{ url: string }>().url.startsWith('/console'))
          return true;
        throw new UnauthorizedException('The office is closed.');
      },
    };
    const visitor = await visit({ host: { providers: [{ provide: APP_GUARD, useValue: guard }] } });
    await visitor.signIn(TOKEN);
    refuses.now = true;
    await visitor.go(`agents/${AGENT}`);
    await visitor.sees('The office is closed.');
    await visitor.sees('decorators: [Public(), SkipThrottle()]');
    expect(await visitor.page.evaluate<number>('sessionStorage.length')).toBe(1);
  });
});

describe('a host whose own endpoints are at the addresses of the reference host’s', () => {
  it.each([
    [
      'with an envelope around their answers',
      { controllers: [HostsAgents], providers: [{ provide: APP_INTERCEPTOR, useClass: Envelope }] },
      {},
    ],
    ['for its own sessions alone', { controllers: [HostsAgents], providers: [guarded] }, { decorators: [Public()] }],
    ['that are the page of an application', { controllers: [PagesOfAgents] }, {}],
  ])('%s: agents are opened by their ids, and the rest works', async (_how, own, module) => {
    const visitor = await visit({ host: own, module });
    await visitor.field('API token').fill('mt_wrong');
    await visitor.button('Sign in').click();
    await visitor.sees('This token is unknown or was revoked.');
    await visitor.signIn(TOKEN);
    await visitor.sees('The platform does not list its agents here.');
    await visitor.field('Agent id').fill(AGENT);
    await visitor.button('Open').click();
    await visitor.heading(AGENT).waitFor();
    await visitor.sees('Nothing is sent anywhere yet');
    await visitor.sees('Not known here');
    expect(await visitor.page.getByRole('switch').count()).toBe(0);
    expect(visitor.complaints).toEqual([]);
  });

  it('whose page is at every address of the API, is told so', async () => {
    const visitor = await visit({ host: { controllers: [EveryPage] } });
    await visitor.field('API token').fill(TOKEN);
    await visitor.button('Sign in').click();
    await visitor.sees('Something else answers at its address');
    expect(await visitor.page.evaluate<number>('sessionStorage.length')).toBe(0);
  });
});
