using System.Net;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Serves the model's revocation list, with an entity tag.</summary>
internal sealed class SimulatedRevocationList(SimulatedAuthority authority) : HttpMessageHandler
{
    private readonly Lock _lock = new();
    private string _tag = "";
    private byte[] _list = [];

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (authority.Weather.At(authority.Clock.Now).What == Trouble.Unreachable)
        {
            throw new HttpRequestException("The model's list is unreachable.");
        }

        lock (_lock)
        {
            var listed = authority.Listed();
            var tag = $"\"{string.Join('-', listed.Select(c => Convert.ToHexString(c.Serial)))}\"";
            if (request.Headers.IfNoneMatch.Any(known => known.Tag == tag))
            {
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotModified));
            }

            if (tag != _tag)
            {
                (_tag, _list) = (tag, authority.Mint.SignList(listed.Select(c => (c.Serial, c.ListedAt!.Value)), authority.Clock.Now));
            }

            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(_list) };
            response.Headers.ETag = new(tag);
            return Task.FromResult(response);
        }
    }
}
