using KestrelAcme.Challenges.Dns01;

namespace Wildcard;

/// <summary>A DNS provider of one's own: all that it takes to create and delete one value.</summary>
internal sealed class ZoneProvider(Zone zone) : IDnsProvider
{
    public string Description => "the name server in this process";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        Console.WriteLine($"DNS: + {record.Name} TXT {record.Value}");
        zone.Add(record.Name, record.Value);
        return Task.CompletedTask;
    }

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        Console.WriteLine($"DNS: - {record.Name} TXT {record.Value}");
        zone.Remove(record.Name, record.Value);
        return Task.CompletedTask;
    }
}
