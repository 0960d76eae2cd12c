namespace KestrelAcme.Certificates.Model;

/// <summary>An order that was meant to be placed, or was. Stored before each step, so that a crash loses nothing.</summary>
internal sealed record StoredOrder
{
    public required IReadOnlyList<string> Names { get; init; }

    public required string KeyAlgorithm { get; init; }

    /// <summary>The key of the certificate that is ordered, PKCS #8 in DER.</summary>
    public required byte[] PrivateKey { get; init; }

    public required Uri DirectoryUrl { get; init; }

    public required Uri AccountUrl { get; init; }

    public string? Profile { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>The order's URL; <see langword="null"/> while we do not know whether the authority has it.</summary>
    public Uri? OrderUrl { get; init; }

    /// <summary>When the authority was told, or was just about to be, to look at the challenges.</summary>
    public DateTimeOffset? PostedAt { get; init; }

    /// <summary>Whether the attempt to place it ended in a failure that was counted: then no crash left it behind.</summary>
    public bool IsCounted { get; init; }

    /// <summary>When the authority forgets the order, where it says so.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>How often the authority failed when it was asked for the order.</summary>
    public int Refusals { get; init; }

    /// <summary>The certificate's URL, once the order is valid.</summary>
    public Uri? CertificateUrl { get; init; }

    public override string ToString() => $"order {OrderUrl?.ToString() ?? "(intent)"} for {string.Join(", ", Names)}";
}
