using Fleet;

// Without arguments, this program starts an ACME authority, a balancer and three instances of an app: three more processes of this program.
if (args is ["instance", var number])
{
    Instance.Run(number);
}
else
{
    await Conductor.RunAsync();
}
