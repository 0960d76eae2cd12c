namespace KestrelAcme.Tls;

/// <summary>Certificates that exist but are not published yet. A connection may wait for one before its handshake; a handshake never does.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface ICertificateLoadGate
{
    /// <summary>Whether there is nothing to wait for.</summary>
    bool AllPublished { get; }

    /// <summary>Publishes what there is for a name, itself or its wildcard, or an address, before all else; returns when that is done, or when it takes too long. Never throws.</summary>
    /// <param name="name">The name or address, normalized.</param>
    Task PublishAsync(string name);

    /// <summary>Returns when everything is published, what stands in for missing certificates as well, or when it takes too long. Never throws.</summary>
    Task PublishAllAsync();
}
