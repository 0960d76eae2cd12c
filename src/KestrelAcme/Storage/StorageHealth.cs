namespace KestrelAcme.Storage;

/// <summary>What <see cref="IAcmeStorage.CheckAsync"/> found.</summary>
/// <param name="Readable">Whether the store answered.</param>
/// <param name="Writable">Whether a trial value could be written and removed.</param>
/// <param name="Durable">Whether what is stored survives the process, the container and the machine's restart, as far as can be told.</param>
/// <param name="Place">Where the store is, in words for an operator: a path, a host; no secret.</param>
/// <param name="Explanation">What is wrong and what to do about it; <see langword="null"/> when all is well.</param>
public sealed record StorageHealth(bool Readable, bool Writable, bool Durable, string Place, string? Explanation);
