using System.Reflection;
using System.Text.Json;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges;

/// <summary>The stored record of a running instance.</summary>
internal sealed record ReplicaRecord
{
    public required string Id { get; init; }

    /// <summary>When it was started by its own clock. For people; nothing is decided by it.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>The name of its machine or container.</summary>
    public required string Host { get; init; }

    /// <summary>The version of KestrelAcme.</summary>
    public required string Version { get; init; }

    /// <summary>Changes whenever the record is written.</summary>
    public int Beat { get; init; }

    /// <summary>Whether it never orders, so that nobody lets it go first.</summary>
    public bool ServesOnly { get; init; }

    public static ReplicaRecord OfThisInstance(string id, DateTimeOffset started, int beat) => new()
    {
        Id = id,
        Started = started,
        Host = Environment.MachineName,
        Version = typeof(ReplicaRecord).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0] ?? "0",
        Beat = beat,
    };

    public byte[] Encode() => JsonFields.Write(this, static (json, record) =>
    {
        json.WriteString("id", record.Id);
        json.WriteString("started", record.Started);
        json.WriteString("host", record.Host);
        json.WriteString("version", record.Version);
        json.WriteNumber("beat", record.Beat);
        json.WriteBoolean("servesOnly", record.ServesOnly);
    });

    /// <summary>Returns a stored record; <see langword="null"/> if it is damaged.</summary>
    public static ReplicaRecord? Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonFields.Read(value, static json => new ReplicaRecord
            {
                Id = json.Text("id"),
                Started = json.Instant("started"),
                Host = json.Text("host"),
                Version = json.Text("version"),
                Beat = json.Number("beat"),
                ServesOnly = json.Flag("servesOnly"),
            });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
