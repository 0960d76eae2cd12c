namespace KestrelAcme.Certificates.Model;

/// <summary>An order that is about to be placed, or was placed. Stored before each step, so that a crash loses nothing.</summary>
internal sealed record StoredOrder
{
    public required IReadOnlyList<string> Names { get; init; }

    public required string KeyAlgorithm { get; init; }

    /// <summary>The key of the ordered certificate, as PKCS #8 in DER.</summary>
    public required byte[] PrivateKey { get; init; }

    public required Uri DirectoryUrl { get; init; }

    public required Uri AccountUrl { get; init; }

    public string? Profile { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The order URL; <see langword="null"/> as long as it is unknown whether the CA has the order.</summary>
    public Uri? OrderUrl { get; init; }

    /// <summary>The time at which the challenges were submitted for validation, or were about to be.</summary>
    public DateTimeOffset? PostedAt { get; init; }

    /// <summary>Whether the attempt to place it ended in a counted failure. Then it was not left by a crash.</summary>
    public bool IsCounted { get; init; }

    /// <summary>The time at which the order expires, if the CA says so.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>How often the CA failed when it was asked for the order.</summary>
    public int Refusals { get; init; }

    /// <summary>The certificate URL, once the order is valid.</summary>
    public Uri? CertificateUrl { get; init; }

    public override string ToString() => $"order {OrderUrl?.ToString() ?? "(intent)"} for {string.Join(", ", Names)}";
}

/// <summary>
/// The number of certificates in a row that were obtained but could not be stored, and the earliest time of the next order: the CA must not
/// pay for a failing store. Pure.
/// </summary>
internal sealed record UnstoredOrders(int Count, DateTimeOffset NextOrder)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static UnstoredOrders Next(UnstoredOrders? before, TimeSpan first, DateTimeOffset now)
    {
        var count = before?.Count ?? 0;
        var pause = first * Math.Pow(2, Math.Min(count, 20));
        return new UnstoredOrders(count + 1, now + (pause < Longest ? pause : Longest));
    }

    /// <summary>Returns the earliest time of the next order; now, if the clock went back.</summary>
    public DateTimeOffset NotBefore(DateTimeOffset now) => NextOrder > now + Longest ? now : NextOrder;
}
