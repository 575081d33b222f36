import { InjectQueue, Process, Processor } from '@nestjs/bull';
import {
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Req,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { JwtService } from '@nestjs/jwt';
import { ApiProperty } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job, Queue } from 'bull';
import { IsInt, IsString, Max } from 'class-validator';
import { ClsService } from 'nestjs-cls';
import { JOB_COMPLETED_EVENT } from 'nestjs-data-sinks';
import { Repository } from 'typeorm';
import { Hotel } from './messy-database.js';
import { Public } from './messy-habits.js';
import { finish } from './messy-ports.js';

export class HotelBody {
  @ApiProperty()
  @IsString()
  displayName!: string;

  @ApiProperty()
  @IsInt()
  @Max(5)
  starCount!: number;
}

export class PageQuery {
  @ApiProperty({ required: false })
  @IsInt()
  limit = 10;
}

export class JobBody {
  @ApiProperty()
  @IsString()
  jobId!: string;

  @ApiProperty()
  @IsString()
  agentId!: string;

  @ApiProperty()
  @IsInt()
  rows!: number;
}

@Controller('hotels')
export class HotelsController {
  constructor(@InjectRepository(Hotel) private readonly hotels: Repository<Hotel>) {}

  @Get()
  list(@Query() { limit }: PageQuery): Promise<Hotel[]> {
    return this.hotels.find({ take: limit });
  }

  @Get(':id')
  async one(@Param('id', ParseIntPipe) id: number): Promise<Hotel> {
    const found = await this.hotels.findOneBy({ id });
    if (!found) throw new NotFoundException('No such hotel.');
    return found;
  }

  @Post()
  add(@Body() hotel: HotelBody): Promise<Hotel> {
    return this.hotels.save(this.hotels.create(hotel));
  }
}

/** Paths that look like the module's. */
@Controller()
export class LookalikesController {
  @Public()
  @SkipThrottle()
  @Get('agents')
  agents(): object {
    return { items: [{ id: 'agt_pro_console', name: 'Hotel matcher' }], nextCursor: null };
  }

  @Post('deliveries/import')
  deliveries(@Body() form: Record<string, unknown>): unknown {
    return form;
  }
}

@Controller('jobs')
export class JobsController {
  constructor(private readonly events: EventEmitter2) {}

  @Post()
  finish(@Body() job: JobBody): string {
    this.events.emit(JOB_COMPLETED_EVENT, finish(job));
    return job.jobId;
  }
}

@Controller({ path: '', version: VERSION_NEUTRAL })
export class OthersController {
  constructor(
    private readonly jwt: JwtService,
    private readonly cls: ClsService,
  ) {}

  @Public()
  @Get('health')
  health(): string {
    return 'well';
  }

  @Public()
  @Post('sign-in')
  signIn(): Promise<string> {
    return this.jwt.signAsync({ sub: 'alice' }, { noTimestamp: true });
  }

  @Get('who-am-i')
  whoAmI(@Req() { user }: { user?: { sub: string } }): object {
    return { user: user?.sub, path: this.cls.get<string>('path') };
  }

  /** What is worth packing. */
  @Get('report')
  report(): string {
    return 'all is well, '.repeat(1_000);
  }
}

/** What has become of each mail: how often it was tried, and what Bull was told of it. */
export const mails: object[] = [];

@Processor('mails')
export class MailProcessor {
  @Process()
  send({ data, attemptsMade, opts, timestamp }: Job<{ to: string }>): void {
    const waitedForDelay = Date.now() - timestamp >= (opts.delay ?? 0);
    mails.push({ ...data, attemptsMade, attempts: opts.attempts, delay: opts.delay, waitedForDelay });
    if (attemptsMade === 0) throw new Error('the mail server says: later');
  }
}

@SkipThrottle()
@Controller('mails')
export class MailsController {
  constructor(@InjectQueue('mails') private readonly queue: Queue) {}

  @Post()
  async send(): Promise<string> {
    await this.queue.add({ to: 'alice' });
    return 'later';
  }

  @Get()
  sent(): object {
    return mails;
  }
}
