using System.Text;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// HTTP responses of hostile servers: redirects to invalid places, and ordinary responses with random octets changed, by a fixed seed.
/// </summary>
public static class OddAnswers
{
    private static readonly string[] Locations =
    [
        "//", "///", "////", "https://", "http:///x", "https://%zz/", "/a b/c d", "https://app.test:99999/x", "https://app.test:-1/",
        "https://[::1/", "https://[::1%25]/", "https://xn--/", "https://xn--0/", ":", "::", "\\\\x\\y", "mailto:a@b", "", " ",
        "file:///etc/passwd", "javascript:alert(1)", "https://a..b/", "https://./", "?", "#", "%", "%00", "https://\u00ff\u00fe\u00c3/",
        "https://user:pw@app.test/", "https://app.test/%2e%2e/%2f", "ftp://app.test/", "data:,x",
        "https:///.well-known/acme-challenge/token", "https:token", "http:", "HTTPS://APP.TEST/.WELL-KNOWN/ACME-CHALLENGE/TOKEN",
        "https://0x7f.1/", "https://2130706433/", "https://\ud83d\ude00.test/", "\u0001", "https://app.test\u0000/", "//app.test:/",
        "https://" + new string('a', 300) + "/", "https://" + new string('a', 70_000) + "/", "/" + new string('%', 3000),
        "https://" + string.Concat(Enumerable.Repeat("a.", 4000)) + "/",
    ];

    /// <summary>Redirects, and responses that are not HTTP.</summary>
    public static IReadOnlyList<byte[]> Redirects { get; } =
    [
        .. Locations.Select(location => Latin1($"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n")),
        Latin1("HTTP/1.1 301 Moved\r\nLocation: https://a.test/\r\nLocation: https://b.test/\r\nContent-Length: 0\r\n\r\n"),
        Latin1("HTTP/1.1 302\r\nLocation\r\n\r\n"),
        Latin1("<html>hi</html>"),
        Latin1("HTTP/1.1 200 OK\r\nX-A: " + new string('a', 70_000) + "\r\n\r\n"),
        Latin1("HTTP/1.1 100 Continue\r\n\r\n"),
        Latin1(string.Concat(Enumerable.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 500))),
        Latin1("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        Latin1("HTTP/1.1 999 \u001b[31mred\r\n\r\n"),
        Latin1("HTTP/1.1 000 no\r\n\r\n"),
        Latin1("HTTP/9.9 200 OK\r\n\r\n"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        Latin1("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n"),
        Latin1("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhello\r\n"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip at all"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nnot brotli at all"),
        Latin1("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=no-such-charset\r\nContent-Length: 2\r\n\r\nhi"),
        Latin1("HTTP/1.1 429 Slow\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n"),
        Latin1("HTTP/1.1 429 Slow\r\nRetry-After: 2147483647\r\nContent-Length: 0\r\n\r\n"),
        Latin1(
            "HTTP/1.1 503 Slow\r\nRetry-After: -99999999999999999999\r\nDate: Mon, 01 Jan 0001 00:00:00 GMT\r\n"
            + "Content-Length: 0\r\n\r\n"),
        [],
        [0],
        [.. Enumerable.Range(0, 256).Select(i => (byte)i)],
        [0x15, 3, 1, 0, 2, 2, 40],
    ];

    /// <summary>Ordinary responses with random changes; the same for the same seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="count">The number of responses.</param>
    /// <param name="templates">The responses to change.</param>
    public static IEnumerable<byte[]> Mutations(int seed, int count, params IReadOnlyList<string> templates)
    {
        ArgumentNullException.ThrowIfNull(templates);
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var answer = Latin1(templates[random.Next(templates.Count)]).ToList();
            for (var changes = random.Next(1, 6); changes > 0 && answer.Count > 0; changes--)
            {
                Change(answer, random);
            }

            yield return [.. answer];
        }
    }

    /// <summary>A response as octets, one for each character.</summary>
    /// <param name="text">The text.</param>
    public static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);

    private static void Change(List<byte> answer, Random random)
    {
        var position = random.Next(answer.Count);
        var length = Math.Min(random.Next(1, 20), answer.Count - position);
        switch (random.Next(6))
        {
            case 0:
                answer[position] = (byte)random.Next(256);
                break;
            case 1:
                answer.Insert(position, "\r\n\0:/\\%[]{}\"<>;,="u8[random.Next(17)]);
                break;
            case 2:
                answer.RemoveRange(position, length);
                break;
            case 3:
                answer.InsertRange(position, answer.GetRange(position, length));
                break;
            case 4:
                answer.InsertRange(position, Latin1(random.Next(8) switch
                {
                    0 =>
                        "99999999999999999999", 1 =>
                            "-1", 2 =>
                                "\\ud800", 3 =>
                                    "null", 4 =>
                                        "http://127.0.0.1:1/", 5 =>
                                            "9999-12-31T23:59:59.9999999Z", 6 => "0001-01-01T00:00:00+14:00", _ => "{[{[",
                }));
                break;
            default:
                answer.RemoveRange(position, answer.Count - position);
                break;
        }
    }
}
