/* load: the fake provider and the load generator of the benchmarks, in one file so that both fit on one core.
 *
 *   load provider --port N
 *   load client unary|burst|paced --port N [--path P] [--model M] [--connections C] [--duration S]
 *               [--chunks N] [--gap-us U] [--ramp S] [--grace S] [--prompt-bytes B]
 *
 * The provider speaks enough HTTP/1.1 to answer an OpenAI chat completion. What to stream is read from the prompt,
 * "chunks=100;gap_us=20000", because a message is the one field that no proxy drops; without "stream":true one JSON
 * document is the answer. The client checks every answer (status, length or last chunk, [DONE], number of events)
 * and prints one line of JSON. It knows nothing about the proxies between the two.
 *
 * Invariant: nothing waits but epoll_wait, and every pace is kept from its start, so a late chunk delays no later one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define MAX_CHUNKS 100000
#define MAX_HEAD 65536

struct buffer { char *bytes; size_t start, end, room; };

enum framing { UNTIL_CLOSE, BY_LENGTH, CHUNKED };
enum chunk_part { SIZE, EXTENSION, DATA, AFTER_DATA, TRAILER };

struct connection {
    int fd, slot;                      /* slot: place in the timer heap, -1 for none */
    uint32_t watched;
    int64_t due;
    struct buffer in, out;
    int chunks, sent;                  /* provider: of the stream under way; chunks is 0 for none */
    int64_t gap;
    int busy, head_done, closes, finished, line_used, in_trailer_line;      /* client, from here on */
    int64_t asked, first;
    enum framing framing;
    enum chunk_part part;
    size_t left, offset, events;
    char line[16], body_first, body_last;
    int saw_done;
};

/* ---- time, buffers, sockets ---- */

static int poller, alarm_fd;
static struct connection **heap;
static int heap_used, heap_room;
static int64_t alarm_at = INT64_MAX;
static char scratch[1 << 18];

static void die(const char *what) { perror(what); exit(2); }

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void append(struct buffer *b, const char *bytes, size_t length) {
    if (b->start == b->end) b->start = b->end = 0;
    if (b->end + length > b->room) {
        b->room = (b->end + length) * 2;
        if (!(b->bytes = realloc(b->bytes, b->room))) die("realloc");
    }
    memcpy(b->bytes + b->end, bytes, length);
    b->end += length;
}

static void place(struct connection *c, int slot) { heap[slot] = c; c->slot = slot; }

static void settle(int slot) {
    struct connection *c = heap[slot];
    for (; slot && heap[(slot - 1) / 2]->due > c->due; slot = (slot - 1) / 2) place(heap[(slot - 1) / 2], slot);
    for (int child; (child = 2 * slot + 1) < heap_used; slot = child) {
        if (child + 1 < heap_used && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= c->due) break;
        place(heap[child], slot);
    }
    place(c, slot);
}

static void wake_at(struct connection *c, int64_t due) {
    c->due = due;
    if (c->slot < 0) {
        if (heap_used == heap_room && !(heap = realloc(heap, (heap_room = heap_room * 2 + 64) * sizeof *heap))) die("realloc");
        place(c, heap_used++);
    }
    settle(c->slot);
}

static void forget_timer(struct connection *c) {
    if (c->slot < 0) return;
    int slot = c->slot;
    struct connection *last = heap[--heap_used];
    c->slot = -1;
    if (last != c) { place(last, slot); settle(slot); }
}

static void set_alarm(void) {
    int64_t at = heap_used ? heap[0]->due : INT64_MAX;
    if (at == alarm_at || at == INT64_MAX) return;      /* an alarm too many is harmless */
    struct itimerspec when = {.it_value = {at / SECOND, at % SECOND}};
    if (timerfd_settime(alarm_fd, TFD_TIMER_ABSTIME, &when, NULL)) die("timerfd_settime");
    alarm_at = at;
}

static void watch(struct connection *c, uint32_t wanted) {
    if (c->watched == wanted) return;
    struct epoll_event e = {.events = wanted, .data.ptr = c};
    if (epoll_ctl(poller, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e)) die("epoll_ctl");
    c->watched = wanted;
}

static void hang_up(struct connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->watched = 0;
    c->in.start = c->in.end = c->out.start = c->out.end = 0;
}

/* Write now what the socket takes and keep the rest; 0 when the other side is gone. */
static int put(struct connection *c, const char *bytes, size_t length) {
    if (c->out.start == c->out.end) {
        ssize_t n = write(c->fd, bytes, length);
        if (n < 0 && errno != EAGAIN) return 0;
        if (n > 0) { bytes += n; length -= n; }
    }
    if (length) append(&c->out, bytes, length);
    watch(c, length ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return 1;
}

static int flush_rest(struct connection *c) {
    ssize_t n = write(c->fd, c->out.bytes + c->out.start, c->out.end - c->out.start);
    if (n < 0) return errno == EAGAIN;
    if ((c->out.start += n) == c->out.end) watch(c, EPOLLIN);
    return 1;
}

static void open_poller(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(0);
    alarm_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};    /* edges: no read needed to clear it */
    if (poller < 0 || alarm_fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, alarm_fd, &e)) die("epoll");
}

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_delay(int fd) { int on = 1; setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); }

/* The value of a header field or NULL; the head ends with an empty line, so the value ends before it. */
static const char *field(const char *head, size_t length, const char *name) {
    size_t width = strlen(name);
    for (const char *at = head, *end = head + length; (at = memchr(at, '\n', end - at)) && ++at + width < end;)
        if (!strncasecmp(at, name, width) && at[width] == ':') {
            for (at += width + 1; *at == ' '; at++) {}
            return at;
        }
    return NULL;
}

/* ---- provider ---- */

#define EVENT(delta, finish) \
    "data: {\"id\":\"chatcmpl-bench0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1735689600,\"model\":\"bench\"," \
    "\"choices\":[{\"index\":0,\"delta\":{" delta "},\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"
static const char *const WORDS[] = {" the", " proxy", " keeps", " every", " answer", " whole", " and", " in", " order", ", always"};
#define WORD_COUNT (int)(sizeof WORDS / sizeof *WORDS)
static const char STREAM_HEAD[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    "x-request-id: req_bench\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char HEALTH[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}";
static const char NOT_FOUND[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
static const char NEEDS_LENGTH[] = "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static struct buffer unary, opening, words[WORD_COUNT], ending, burst;
static int burst_chunks;

static void append_chunk(struct buffer *b, const char *text) {
    char size[32];
    append(b, size, sprintf(size, "%zx\r\n", strlen(text)));
    append(b, text, strlen(text));
    append(b, "\r\n", 2);
}

static void append_buffer(struct buffer *b, const struct buffer *other) {
    append(b, other->bytes + other->start, other->end - other->start);
}

static void prepare_answers(void) {
    char text[1024];
    int length = snprintf(text, sizeof text,
        "{\"id\":\"chatcmpl-bench0123456789\",\"object\":\"chat.completion\",\"created\":1735689600,\"model\":\"bench\",\"choices\":[{\"index\":0,"
        "\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":52,\"completion_tokens\":58,\"total_tokens\":110},\"system_fingerprint\":\"fp_bench\"}",
        "A recording proxy stands between a client and a provider, forwards what it receives unchanged, and keeps a copy. "
        "The copy must be complete, the client must not notice, and a failure of one side must be visible on the other.");
    char head[256];
    append(&unary, head, sprintf(head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_bench\r\n"
                                       "Content-Length: %d\r\n\r\n", length));
    append(&unary, text, length);
    append(&opening, STREAM_HEAD, sizeof STREAM_HEAD - 1);
    append_chunk(&opening, EVENT("\"role\":\"assistant\",\"content\":\"\"", "null"));
    for (int i = 0; i < WORD_COUNT; i++) {
        snprintf(text, sizeof text, EVENT("\"content\":\"%s\"", "null"), WORDS[i]);
        append_chunk(&words[i], text);
    }
    append_chunk(&ending, EVENT("", "\"stop\""));
    append_chunk(&ending, "data: [DONE]\n\n");
    append(&ending, "0\r\n\r\n", 5);
}

static int put_burst(struct connection *c, int chunks) {
    if (burst_chunks != chunks) {
        burst.start = burst.end = 0;
        append_buffer(&burst, &opening);
        for (int i = 1; i < chunks; i++) append_buffer(&burst, &words[i % WORD_COUNT]);
        append_buffer(&burst, &ending);
        burst_chunks = chunks;
    }
    return put(c, burst.bytes, burst.end);
}

static long number_after(const char *text, size_t length, const char *name, long otherwise) {
    const char *at = memmem(text, length, name, strlen(name));
    return at ? atol(at + strlen(name)) : otherwise;
}

static int answer(struct connection *c, const char *head, const char *body, size_t length) {
    if (!strncmp(head, "GET /health", 11)) return put(c, HEALTH, sizeof HEALTH - 1);
    const char *line_end = memchr(head, '\r', body - head);
    if (strncmp(head, "POST ", 5) || !memmem(head, line_end - head, "/chat/completions ", 18)) return put(c, NOT_FOUND, sizeof NOT_FOUND - 1);
    if (!memmem(body, length, "\"stream\":true", 13) && !memmem(body, length, "\"stream\": true", 14))
        return put(c, unary.bytes, unary.end);
    long chunks = number_after(body, length, "chunks=", 10), gap = number_after(body, length, "gap_us=", 0);
    if (chunks < 1 || chunks > MAX_CHUNKS) chunks = 10;
    if (gap <= 0) return put_burst(c, chunks);
    c->chunks = chunks;
    c->gap = gap * 1000LL;
    c->sent = 1;
    wake_at(c, now() + c->gap);
    return put(c, opening.bytes, opening.end);
}

/* Answer every complete request in the buffer; 0 when the connection is of no more use. */
static int serve_requests(struct connection *c) {
    while (!c->chunks && c->in.start < c->in.end) {
        append(&c->in, "", 1);      /* a NUL behind the text, for atol */
        c->in.end--;
        const char *head = c->in.bytes + c->in.start;
        size_t length = c->in.end - c->in.start;
        const char *body = memmem(head, length, "\r\n\r\n", 4);
        if (!body) return length < MAX_HEAD;
        body += 4;
        if (field(head, body - head, "transfer-encoding")) { put(c, NEEDS_LENGTH, sizeof NEEDS_LENGTH - 1); return 0; }
        const char *value = field(head, body - head, "content-length");
        size_t wanted = value ? strtoul(value, NULL, 10) : 0;
        if ((size_t)(head + length - body) < wanted) return 1;
        c->in.start += body - head + wanted;
        if (!answer(c, head, body, wanted)) return 0;
    }
    return 1;
}

static void drop(struct connection *c) {
    forget_timer(c);
    hang_up(c);
    free(c->in.bytes);
    free(c->out.bytes);
    free(c);
}

static void provider_ready(struct connection *c, uint32_t events) {
    if (events & EPOLLOUT && !flush_rest(c)) { drop(c); return; }
    if (!(events & ~EPOLLOUT)) return;
    ssize_t n = read(c->fd, scratch, sizeof scratch);
    if (n < 0 && errno == EAGAIN) return;
    if (n > 0) append(&c->in, scratch, n);
    if (n <= 0 || !serve_requests(c)) drop(c);
}

static void provider_due(struct connection *c) {
    int alive;
    if (c->sent < c->chunks) {
        const struct buffer *word = &words[c->sent++ % WORD_COUNT];
        wake_at(c, c->due + c->gap);
        alive = put(c, word->bytes, word->end);
    } else {
        forget_timer(c);
        c->chunks = 0;
        alive = put(c, ending.bytes, ending.end) && serve_requests(c);
    }
    if (!alive) drop(c);
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c) die("calloc");
        no_delay(fd);
        c->fd = fd;
        c->slot = -1;
        watch(c, EPOLLIN);
    }
}

static void serve(int port) {
    struct connection listener = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .slot = -1};
    struct sockaddr_in address = loopback(port);
    int on = 1;
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof address) || listen(listener.fd, 4096)) die("listen");
    prepare_answers();
    watch(&listener, EPOLLIN);
    for (;;) {
        struct epoll_event ready[256];
        set_alarm();
        int count = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr == &listener) accept_all(listener.fd);
            else if (ready[i].data.ptr) provider_ready(ready[i].data.ptr, ready[i].events);
        }
        /* Timers only after the sockets: one that drops its connection leaves no stale event behind. */
        for (int64_t time = now(); heap_used && heap[0]->due <= time;) provider_due(heap[0]);
    }
}

/* ---- client ---- */

struct samples { double *values; size_t used, room; };

static int port, streaming, paced, chunks_wanted, active, open_now, open_peak;
static char path[256], request[1 << 20], first_error[128];
static size_t request_length, completed, in_time, errors, events_seen;
static int64_t deadline;
static struct samples first_bytes, totals;

static void add(struct samples *s, double value) {
    if (s->used == s->room && !(s->values = realloc(s->values, (s->room = s->room * 2 + 1024) * sizeof value))) die("realloc");
    s->values[s->used++] = value;
}

static void next_request(struct connection *c);

static void fail(struct connection *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!errors++) vsnprintf(first_error, sizeof first_error, format, arguments);
    va_end(arguments);
    if (c->first) open_now--;
    c->busy = 0;
    hang_up(c);
    if (paced || now() >= deadline) { c->finished = 1; active--; }
    else wake_at(c, now() + SECOND / 100);
}

static void complete(struct connection *c) {
    if (streaming && !c->saw_done) { fail(c, "ended without [DONE] after %zu events", c->events); return; }
    if (streaming && c->events < (size_t)chunks_wanted) { fail(c, "%zu events of %d", c->events, chunks_wanted); return; }
    if (!streaming && (c->body_first != '{' || c->body_last != '}')) { fail(c, "not a JSON object"); return; }
    int64_t time = now();
    completed++;
    events_seen += c->events;
    if (time < deadline) in_time++;
    add(&totals, (time - c->asked) / 1e3);
    add(&first_bytes, (c->first - c->asked) / 1e3);
    open_now--;
    c->busy = 0;
    if (c->closes || paced) hang_up(c);
    if (paced || time >= deadline) { c->finished = 1; active--; hang_up(c); }
    else next_request(c);
}

static void next_request(struct connection *c) {
    c->busy = 1;
    c->head_done = c->closes = c->line_used = c->in_trailer_line = c->saw_done = 0;
    c->first = c->left = c->offset = c->events = c->part = 0;
    if (c->fd < 0) {
        struct sockaddr_in address = loopback(port);
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (c->fd < 0) die("socket");
        no_delay(c->fd);
        if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) { fail(c, "connect: %m"); return; }
        append(&c->out, request, request_length);
        watch(c, EPOLLIN | EPOLLOUT);
        c->asked = now();
        return;
    }
    c->asked = now();
    if (!put(c, request, request_length)) fail(c, "write: %m");
}

static void count_events(struct connection *c, const char *bytes, size_t length) {
    while (length) {
        const char *newline = memchr(bytes, '\n', length);
        size_t take = newline ? (size_t)(newline - bytes) : length;
        size_t copy = sizeof c->line - c->line_used < take ? sizeof c->line - c->line_used : take;
        memcpy(c->line + c->line_used, bytes, copy);
        c->line_used += copy;
        if (!newline) return;
        if (c->line_used >= 12 && !memcmp(c->line, "data: [DONE]", 12)) c->saw_done = 1;
        else if (c->line_used >= 5 && !memcmp(c->line, "data:", 5)) c->events++;
        c->line_used = 0;
        bytes += take + 1;
        length -= take + 1;
    }
}

static void take_body(struct connection *c, const char *bytes, size_t length) {
    if (!length) return;
    if (!c->first) {
        c->first = now();
        c->body_first = bytes[0];
        if (++open_now > open_peak) open_peak = open_now;
    }
    for (size_t i = length; i-- > 0;)
        if (bytes[i] != '\n') { c->body_last = bytes[i]; break; }
    if (streaming) count_events(c, bytes, length);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Decode chunked framing as far as it goes; 1 when the last chunk and its trailer are through, -1 when it is broken. */
static int take_chunked(struct connection *c, const char *at, const char *end) {
    while (at < end) {
        if (c->part == DATA) {
            size_t take = (size_t)(end - at) < c->left ? (size_t)(end - at) : c->left;
            take_body(c, at, take);
            at += take;
            if (!(c->left -= take)) c->part = AFTER_DATA;
            continue;
        }
        char byte = *at++;
        if (c->part == TRAILER) {
            if (byte == '\n' && !c->in_trailer_line) return 1;
            if (byte != '\r') c->in_trailer_line = byte != '\n';
        } else if (c->part == SIZE && hex_digit(byte) >= 0) {
            if (c->left >> 40) return -1;
            c->left = c->left * 16 + hex_digit(byte);
        } else if (byte == '\n') {
            c->part = c->part == AFTER_DATA ? SIZE : c->left ? DATA : TRAILER;
        } else if (c->part == SIZE) {
            if (byte != '\r' && byte != ';') return -1;
            c->part = EXTENSION;
        } else if (c->part == AFTER_DATA && byte != '\r') return -1;
    }
    return 0;
}

static void take_bytes(struct connection *c, const char *bytes, size_t length) {
    if (c->framing == CHUNKED) {
        int state = take_chunked(c, bytes, bytes + length);
        if (state < 0) fail(c, "broken chunked framing");
        else if (state) complete(c);
        return;
    }
    if (c->framing == BY_LENGTH && length > c->left) { fail(c, "more bytes than content-length"); return; }
    take_body(c, bytes, length);
    if (c->framing == BY_LENGTH && !(c->left -= length)) complete(c);
}

static void take_head(struct connection *c, const char *bytes, size_t length) {
    append(&c->in, bytes, length);
    const char *head = c->in.bytes + c->in.start;
    size_t size = c->in.end - c->in.start;
    const char *body = memmem(head, size, "\r\n\r\n", 4);
    if (!body) { if (size > MAX_HEAD) fail(c, "endless head"); return; }
    body += 4;
    if (size < 16 || strncmp(head, "HTTP/1.", 7)) { fail(c, "not HTTP"); return; }
    if (strncmp(head + 9, "200", 3)) { fail(c, "status %.3s", head + 9); return; }
    const char *coding = field(head, body - head, "transfer-encoding"), *value = field(head, body - head, "content-length");
    const char *after = field(head, body - head, "connection");
    c->framing = coding ? CHUNKED : value ? BY_LENGTH : UNTIL_CLOSE;
    if (value && !coding) c->left = strtoul(value, NULL, 10);
    c->closes = c->framing == UNTIL_CLOSE || (after ? !strncasecmp(after, "close", 5) : head[7] == '0');
    c->head_done = 1;
    c->in.start = c->in.end = 0;
    take_bytes(c, body, size - (body - head));
}

static void client_ready(struct connection *c, uint32_t events) {
    if (c->fd < 0) return;
    if (events & EPOLLOUT) {
        if (!flush_rest(c)) { fail(c, "write: %m"); return; }
        c->asked = now();
    }
    if (!(events & ~EPOLLOUT)) return;
    ssize_t n = read(c->fd, scratch, sizeof scratch);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) { fail(c, "read: %m"); return; }
    if (n > 0) { if (c->head_done) take_bytes(c, scratch, n); else take_head(c, scratch, n); return; }
    if (c->head_done && c->framing == UNTIL_CLOSE) complete(c);
    else fail(c, "closed early, %zu events", c->events);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_samples(const char *name, struct samples *s) {
    if (s->used) qsort(s->values, s->used, sizeof *s->values, by_value);
#define AT(share) (s->used ? s->values[(size_t)((s->used - 1) * share + 0.5)] : 0.0)
    printf("\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},", name, AT(0.50), AT(0.99), AT(1.0));
}

static const char *option(int count, char **words_given, const char *name, const char *otherwise) {
    for (int i = 0; i + 1 < count; i++)
        if (!strcmp(words_given[i], name)) return words_given[i + 1];
    return otherwise;
}

static void prepare_request(const char *model, long gap_us, int prompt_bytes) {
    static char prompt[1 << 17], body[1 << 18];
    if (prompt_bytes < 0 || prompt_bytes >= (int)sizeof prompt) prompt_bytes = 200;
    memset(prompt, 'x', prompt_bytes);
    for (int i = 5; i < prompt_bytes; i += 6) prompt[i] = ' ';
    int length = snprintf(body, sizeof body,
        "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"chunks=%d;gap_us=%ld %s\"}]%s}",
        model, chunks_wanted, gap_us, prompt, streaming ? ",\"stream\":true" : "");
    request_length = snprintf(request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer sk-bench\r\nContent-Type: application/json\r\n"
        "Accept: %s\r\nContent-Length: %d\r\n\r\n%s", path, port, streaming ? "text/event-stream" : "application/json", length, body);
}

static void run_until(int64_t last_call) {
    while (active && now() < last_call) {
        struct epoll_event ready[256];
        set_alarm();
        int count = epoll_wait(poller, ready, 256, 100);
        for (int i = 0; i < count; i++)
            if (ready[i].data.ptr) client_ready(ready[i].data.ptr, ready[i].events);
        for (int64_t time = now(); heap_used && heap[0]->due <= time;) {
            struct connection *c = heap[0];
            forget_timer(c);
            next_request(c);
        }
    }
}

static int ask(int count, char **words_given) {
    const char *mode = count > 2 ? words_given[2] : "";
    streaming = strcmp(mode, "unary") != 0;
    paced = !strcmp(mode, "paced");
    if (streaming && !paced && strcmp(mode, "burst")) { fprintf(stderr, "modes: unary, burst, paced\n"); return 2; }
    int total = atoi(option(count, words_given, "--connections", "32"));
    double duration = atof(option(count, words_given, "--duration", "5")), ramp = atof(option(count, words_given, "--ramp", "2"));
    double grace = atof(option(count, words_given, "--grace", "15"));
    long gap_us = paced ? atol(option(count, words_given, "--gap-us", "20000")) : 0;
    chunks_wanted = atoi(option(count, words_given, "--chunks", "100"));
    if (paced && gap_us > 0 && !*option(count, words_given, "--chunks", "")) chunks_wanted = duration * 1e6 / gap_us;
    snprintf(path, sizeof path, "%s", option(count, words_given, "--path", "/v1/chat/completions"));
    prepare_request(option(count, words_given, "--model", "bench"), gap_us, atoi(option(count, words_given, "--prompt-bytes", "200")));
    struct connection *all = calloc(total, sizeof *all);
    if (!all) die("calloc");
    int64_t start = now();
    deadline = start + (paced ? ramp + duration : duration) * SECOND;
    active = total;
    for (int i = 0; i < total; i++) {
        all[i].fd = all[i].slot = -1;
        /* The golden ratio spreads the phases: an even step would start whole groups in step with the pace. */
        double turn = i * 0.6180339887498949, step = ramp / total;
        wake_at(&all[i], paced ? start + (int64_t)((i + turn - (int64_t)turn) * step * SECOND) : start);
    }
    run_until(deadline + (int64_t)(grace * SECOND));
    double seconds = paced ? (now() - start) / 1e9 : duration;
    for (int i = 0; i < total; i++)
        if (!all[i].finished && !errors++) snprintf(first_error, sizeof first_error, "unfinished after %zu events", all[i].events);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    for (char *c = first_error; *c; c++) if (*c == '"' || *c == '\\' || *c < ' ') *c = '?';
    printf("{\"mode\":\"%s\",\"connections\":%d,\"seconds\":%.3f,\"answered\":%zu,\"rate\":%.1f,\"errors\":%zu,\"first_error\":\"%s\",",
           mode, total, seconds, completed, in_time / seconds, errors, first_error);
    print_samples("first_byte_us", &first_bytes);
    print_samples("total_us", &totals);
    printf("\"chunks\":%zu,\"open_peak\":%d,\"cpu_s\":%.3f}\n", events_seen, open_peak,
           used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}

int main(int count, char **words_given) {
    port = atoi(option(count, words_given, "--port", "0"));
    if (count < 2 || port < 1 || port > 65535) { fprintf(stderr, "usage: load provider|client --port N ...\n"); return 2; }
    open_poller();
    if (strcmp(words_given[1], "provider")) return ask(count, words_given);
    serve(port);
    return 0;
}
