namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>A process's way to the network: requests are counted, and none comes through once the process was killed.</summary>
/// <param name="traffic">Counts.</param>
/// <param name="life">The process's.</param>
/// <param name="isSilent">Whether the authority takes requests and answers none: how long such a request lasts is up to the fake
/// clock.</param>
/// <param name="network">The real handler.</param>
internal sealed class CountedHandler(
    HttpTraffic traffic, Lifeline life, Func<bool> isSilent, HttpMessageHandler network) : DelegatingHandler(network)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri!.AbsolutePath.Contains("new-order", StringComparison.OrdinalIgnoreCase))
        {
            life.OrderBegins();
        }

        life.Step();
        if (isSilent())
        {
            return await base.SendAsync(request, cancellationToken);
        }

        traffic.Begin();
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            return response;
        }
        finally
        {
            traffic.End();
        }
    }
}
