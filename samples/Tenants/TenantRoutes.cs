using Microsoft.EntityFrameworkCore;
using Yarp.ReverseProxy.Configuration;

namespace Tenants;

/// <summary>Gives YARP a route and a destination for each row of the table.</summary>
internal sealed class TenantRoutes(IServiceScopeFactory scopes, InMemoryConfigProvider proxy)
{
    public async Task UpdateAsync()
    {
        await using var scope = scopes.CreateAsyncScope();
        var tenants = await scope.ServiceProvider.GetRequiredService<TenantContext>().Tenants.AsNoTracking().ToListAsync();
        proxy.Update(
            [.. tenants.Select(t => new RouteConfig
            {
                RouteId = t.Domain,
                ClusterId = t.Domain,
                Match = new RouteMatch { Hosts = [t.Domain], Path = "{**path}" },
            })],
            [.. tenants.Select(t => new ClusterConfig
            {
                ClusterId = t.Domain,
                Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = t.Destination } },
            })]);
    }
}
