import type { Socket } from 'node:net';
import { AppError, type Problem, toProblem } from '@slipway/contracts';

/** Answers what is no request, and closes. @returns with what; null: nobody is there to hear it */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): Problem | null {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return null;
  }
  const problem = problemOf(error.code);
  const body = Buffer.from(JSON.stringify(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  socket.destroySoon();
  return problem;
}

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return toProblem(new AppError('request-timeout', 'The request’s headers took too long.'));
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return toProblem(
      new AppError(
        'headers-too-large',
        'The request’s headers are too large: send less than 16 KiB.',
      ),
    );
  }
  return toProblem(new AppError('malformed-request', 'This is not a valid HTTP request.'));
}
