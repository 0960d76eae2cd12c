using KestrelAcme.Challenges.Dns01;

namespace Wildcard;

/// <summary>A custom DNS provider: it creates and deletes TXT records.</summary>
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
