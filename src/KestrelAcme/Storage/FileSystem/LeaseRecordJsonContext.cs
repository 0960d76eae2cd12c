using System.Text.Json.Serialization;

namespace KestrelAcme.Storage.FileSystem;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LeaseRecord))]
internal sealed partial class LeaseRecordJsonContext : JsonSerializerContext;

/// <summary>What the file of a lease says.</summary>
internal sealed record LeaseRecord
{
    /// <summary>Above every number that is ever given out.</summary>
    public const long MaxFencingNumber = long.MaxValue / 2;

    /// <summary>The instance that holds the lease; <see langword="null"/> when it was given back.</summary>
    public string? Owner { get; init; }

    public required long FencingNumber { get; init; }

    public DateTimeOffset Expires { get; init; }

    public double DurationSeconds { get; init; }

    /// <summary>The running system that the owner's file lock lives in: on another one it proves nothing.</summary>
    public string Machine { get; init; } = "";

    /// <summary>For people who look into the file.</summary>
    public string Host { get; init; } = "";

    /// <inheritdoc cref="Host"/>
    public int ProcessId { get; init; }
}
