using KestrelAcme.Challenges.Dns01.Caa;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>Keeps what it was asked, and refuses when told to.</summary>
internal sealed class RecordingCaaCheck : ICaaCheck
{
    public List<CaaRequest> Requests { get; } = [];

    public Exception? Refusal { get; set; }

    public Task CheckAsync(CaaRequest request, CancellationToken cancellationToken)
    {
        Requests.Add(request);
        return Refusal is null ? Task.CompletedTask : Task.FromException(Refusal);
    }
}
