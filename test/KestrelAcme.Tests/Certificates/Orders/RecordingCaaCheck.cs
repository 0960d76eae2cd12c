using KestrelAcme.Challenges.Dns01.Caa;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>Records what was checked, and refuses on request.</summary>
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
