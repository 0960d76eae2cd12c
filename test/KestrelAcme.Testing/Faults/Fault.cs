namespace KestrelAcme.Testing.Faults;

/// <summary>
/// One thing that <see cref="FaultyProxy"/> does wrong. With a <see cref="Status"/> or a <see cref="Body"/> the proxy answers by
/// itself, unless <see cref="ForwardsFirst"/>; otherwise the server's own answer is delayed, cut or changed.
/// </summary>
/// <param name="pathPrefix">Requests whose path starts with it are hit; "/" means all.</param>
public sealed class Fault(string pathPrefix)
{
    private int _seen;
    private int _hits;

    /// <summary>A further condition. <value>None</value></summary>
    public Func<ProxiedRequest, bool>? When { get; init; }

    /// <summary>How many matching requests go unharmed first. <value>0</value></summary>
    public int Skip { get; init; }

    /// <summary>How many matching requests are hit. <value>1</value></summary>
    public int Times { get; init; } = 1;

    /// <summary>The status to answer with. <value>None; 200 with a <see cref="Body"/></value></summary>
    public int? Status { get; init; }

    /// <summary>The body to answer with. <value>None; empty with a <see cref="Status"/></value></summary>
    public string? Body { get; init; }

    /// <summary>The type of <see cref="Body"/>. <value>application/problem+json</value></summary>
    public string ContentType { get; init; } = "application/problem+json";

    /// <summary>Retry-After, seconds or an HTTP date. It is added to the server's answer too. <value>None</value></summary>
    public string? RetryAfter { get; init; }

    /// <summary>The Date header, as of a server whose clock is wrong. <value>The server's</value></summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Whether the server does what it is asked even though the proxy answers in its place. <value>false</value></summary>
    public bool ForwardsFirst { get; init; }

    /// <summary>A pause before anything else, in real time. <value>None</value></summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The request is held, before forwarding, until this completes. <value>None</value></summary>
    public Task? HoldUntil { get; init; }

    /// <summary>Where the connection is cut. <value>Nowhere</value></summary>
    public CutPoint Cut { get; init; }

    /// <summary>Changes the server's body. <value>None</value></summary>
    public Func<string, string>? Rewrite { get; init; }

    /// <summary>How many requests were hit so far.</summary>
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
