namespace KestrelAcme.Testing.Faults;

/// <summary>
/// A fault of <see cref="FaultyProxy"/>. With a <see cref="Status"/> or a <see cref="Body"/>, the proxy responds by itself, unless
/// <see cref="ForwardsFirst"/> is set; otherwise the server's response is delayed, cut or changed.
/// </summary>
/// <param name="pathPrefix">Applies to requests whose path starts with it; "/" means all.</param>
public sealed class Fault(string pathPrefix)
{
    private int _seen;
    private int _hits;

    /// <summary>Another condition. <value>None</value></summary>
    public Func<ProxiedRequest, bool>? When { get; init; }

    /// <summary>How many matching requests to skip first. <value>0</value></summary>
    public int Skip { get; init; }

    /// <summary>How many matching requests are affected. <value>1</value></summary>
    public int Times { get; init; } = 1;

    /// <summary>The status of the response. <value>None; 200 with a <see cref="Body"/></value></summary>
    public int? Status { get; init; }

    /// <summary>The body of the response. <value>None; empty with a <see cref="Status"/></value></summary>
    public string? Body { get; init; }

    /// <summary>The type of <see cref="Body"/>. <value>application/problem+json</value></summary>
    public string ContentType { get; init; } = "application/problem+json";

    /// <summary>Retry-After in seconds or as an HTTP date. Also added to the server's response. <value>None</value></summary>
    public string? RetryAfter { get; init; }

    /// <summary>The Date header, as from a server with a wrong clock. <value>The server's</value></summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Whether the server processes the request although the proxy responds in its place. <value>false</value></summary>
    public bool ForwardsFirst { get; init; }

    /// <summary>A delay before anything else, in real time. <value>None</value></summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The request is held, before forwarding, until this task completes. <value>None</value></summary>
    public Task? HoldUntil { get; init; }

    /// <summary>When the connection is closed. <value>Never</value></summary>
    public CutPoint Cut { get; init; }

    /// <summary>Changes the server's body. <value>None</value></summary>
    public Func<string, string>? Rewrite { get; init; }

    /// <summary>The number of affected requests so far.</summary>
    public int Hits => Volatile.Read(ref _hits);

    internal bool AnswersByItself => (Status is not null || Body is not null) && !ForwardsFirst;

    internal bool Takes(ProxiedRequest request)
    {
        if (!request.Path.StartsWith(pathPrefix, StringComparison.Ordinal) || When?.Invoke(request) == false)
        {
            return false;
        }

        var place = Interlocked.Increment(ref _seen);
        if (place <= Skip || place - Skip > Times)
        {
            return false;
        }

        Interlocked.Increment(ref _hits);
        return true;
    }
}
